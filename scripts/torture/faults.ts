import type { SeededRandom } from './seeded-random';

/**
 * The faults that one exchange on a hop may get:
 * - `latency` a slow period: everything on the hop takes longer for a while; `jitter` only this exchange takes longer
 * - `cut` the connection ends before the remote received anything; `appliedThenCut` it ends before the response
 * - `halfOpen` nothing more arrives and neither end is notified; the remote may or may not have received it
 * - `serverError`, `tooMany` 5xx or 429 in place of the remote; `appliedThenError` 5xx although it took effect
 * - `wrongJson` 200 with a body that is not the response, although it took effect
 * - `late` it takes effect after the caller's time limit, but within the remote's; `lateError` a gateway responds with
 *   an error page at once, and it takes effect within the remote's time limit
 * - `duplicate` the remote gets it twice; `reorder` it is accepted, and arrives after later ones; `drop` it is accepted
 *   and never arrives
 */
export const FAULTS = [
  'latency',
  'jitter',
  'cut',
  'halfOpen',
  'appliedThenCut',
  'serverError',
  'appliedThenError',
  'tooMany',
  'wrongJson',
  'late',
  'lateError',
  'duplicate',
  'reorder',
  'drop',
  'outage',
] as const;
export type Fault = (typeof FAULTS)[number];
export type Odds = Readonly<Partial<Record<Exclude<Fault, 'outage'>, number>>>;

/** Chooses faults for one hop from the seed and counts them. Injects none until `begin`. */
export class FaultPlan {
  readonly counts: Partial<Record<Fault, number>> = {};
  private isRough = false;
  private readonly calmListeners: (() => void)[] = [];

  constructor(
    readonly hop: string,
    readonly random: SeededRandom,
    private readonly odds: Odds,
  ) {}

  get isActive(): boolean {
    return this.isRough;
  }

  draw(): Exclude<Fault, 'outage'> | null {
    if (!this.isRough) return null;
    let at = this.random.next();
    for (const [fault, odds] of Object.entries(this.odds) as [Exclude<Fault, 'outage'>, number][])
      if ((at -= odds) < 0) {
        this.count(fault);
        return fault;
      }
    return null;
  }

  count(fault: Fault): void {
    this.counts[fault] = (this.counts[fault] ?? 0) + 1;
  }

  begin(): void {
    this.isRough = true;
  }

  /** Ends all faults: from now on everything passes, and delayed exchanges continue at once. */
  calm(): void {
    this.isRough = false;
    for (const letGo of this.calmListeners) letGo();
  }

  whenCalm(letGo: () => void): void {
    this.calmListeners.push(letGo);
  }
}
