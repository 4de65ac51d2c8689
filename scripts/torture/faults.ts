import type { Dice } from './dice';

/**
 * What may happen to one exchange on a hop:
 * - `latency` a slow spell: everything on the hop takes longer for a while; `jitter` this one takes longer
 * - `cut` the connection ends before the far side has seen anything; `appliedThenCut` it ends before the answer
 * - `halfOpen` nothing more comes, and nobody says so; whether the far side has seen it is open
 * - `serverError`, `tooMany` 5xx or 429 instead of the far side; `appliedThenError` 5xx although it took effect
 * - `wrongJson` 200 with something that is not the answer, although it took effect
 * - `late` it takes effect when the caller has given up, within the time that the far side lets a request run; `lateError` a
 *   gateway gives up on it at once, with a page, and it takes effect within that time
 * - `duplicate` the far side gets it twice; `reorder` it is taken, and arrives later than what comes after it; `drop` it
 *   is taken and never arrives
 */
export const FAULTS = [
  'latency', 'jitter', 'cut', 'halfOpen', 'appliedThenCut', 'serverError', 'appliedThenError', 'tooMany', 'wrongJson', 'late', 'lateError', 'duplicate', 'reorder', 'drop', 'outage',
] as const;
export type Fault = (typeof FAULTS)[number];
export type Odds = Readonly<Partial<Record<Exclude<Fault, 'outage'>, number>>>;

/** Decides for one hop, by the seed, and counts what it decided. Calm until it is told otherwise. */
export class FaultPlan {
  readonly counts: Partial<Record<Fault, number>> = {};
  private isRough = false;
  private readonly onCalm: (() => void)[] = [];

  constructor(readonly hop: string, readonly dice: Dice, private readonly odds: Odds) {}

  get rough(): boolean { return this.isRough; }

  draw(): Exclude<Fault, 'outage'> | null {
    if (!this.isRough) return null;
    let at = this.dice.roll();
    for (const [fault, odds] of Object.entries(this.odds) as [Exclude<Fault, 'outage'>, number][])
      if ((at -= odds) < 0) {
        this.count(fault);
        return fault;
      }
    return null;
  }

  count(fault: Fault): void { this.counts[fault] = (this.counts[fault] ?? 0) + 1; }

  begin(): void { this.isRough = true; }

  /** From here on everything passes, and what is held is let go. */
  calm(): void {
    this.isRough = false;
    for (const letGo of this.onCalm) letGo();
  }

  whenCalm(letGo: () => void): void { this.onCalm.push(letGo); }
}
