import type { FarSideRoom } from '../core/ports/stores';

/** What work tells of the far side: it answered (also with a refusal), it is away, or neither can be said. */
export type Answered = 'yes' | 'no' | 'unknown';

/** Failures in a row, of a side that did not answer, until it is left alone for a while. */
const TRIPS_AFTER = 5;
const FIRST_REST_MS = 1_000;
const LONGEST_REST_MS = 30_000;

interface Circuit { failures: number; rests: number; restsUntil: number }

/**
 * Which far sides are away, in the eyes of this process. One that does not answer several times in a row rests; then one
 * piece of work tries whether it is back. The lanes themselves keep their own retry times: this only keeps their waiting
 * from taking the workers' hands.
 */
export class Circuits {
  private readonly circuits = new Map<string, Circuit>();

  /** @param now a clock in milliseconds that a changed wall time does not move */
  constructor(private readonly now: () => number, private readonly random: () => number, private readonly onChange: (farSideId: string, state: 'resting' | 'back') => void) {}

  /** Null: as much as anybody. Else how many pieces of work it may have under way: none, or one that tries it. */
  allowed(farSideId: string): 0 | 1 | null {
    const circuit = this.circuits.get(farSideId);
    if (circuit === undefined || circuit.rests === 0) return null;
    return this.now() < circuit.restsUntil ? 0 : 1;
  }

  get troubled(): Iterable<string> { return this.circuits.keys(); }

  report(farSideId: string, answered: Answered): void {
    const circuit = this.circuits.get(farSideId);
    if (answered === 'unknown') return;
    if (answered === 'yes') {
      this.circuits.delete(farSideId);
      if (circuit !== undefined && circuit.rests > 0) this.onChange(farSideId, 'back');
      return;
    }
    const next = circuit ?? { failures: 0, rests: 0, restsUntil: 0 };
    this.circuits.set(farSideId, next);
    next.failures += 1;
    // What was under way when it began to rest says nothing new.
    if (next.failures < TRIPS_AFTER || this.now() < next.restsUntil) return;
    if (next.rests === 0) this.onChange(farSideId, 'resting');
    next.restsUntil = this.now() + Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** next.rests) * (0.5 + 0.5 * this.random());
    next.rests += 1;
  }
}

/** One kind of work: how much of it each far side has under way here, so that none takes all hands. */
export class FarSides {
  private readonly underWay = new Map<string, number>();

  constructor(private readonly each: number, private readonly circuits: Circuits) {}

  /** For the next claim. */
  get room(): FarSideRoom {
    const but = new Map<string, number>();
    for (const farSideId of [...this.underWay.keys(), ...this.circuits.troubled]) {
      const allowed = this.circuits.allowed(farSideId) ?? this.each;
      const room = Math.max(0, allowed - (this.underWay.get(farSideId) ?? 0));
      if (room !== this.each) but.set(farSideId, room);
    }
    return { each: this.each, but };
  }

  report(farSideId: string, answered: Answered): void { this.circuits.report(farSideId, answered); }

  /** @returns what `work` says, which is also told to the circuit */
  async during(farSideId: string, work: () => Promise<Answered>): Promise<void> {
    this.underWay.set(farSideId, (this.underWay.get(farSideId) ?? 0) + 1);
    try {
      this.circuits.report(farSideId, await work());
    } finally {
      const left = this.underWay.get(farSideId)! - 1;
      if (left === 0) this.underWay.delete(farSideId);
      else this.underWay.set(farSideId, left);
    }
  }
}
