import type { FarSideRoom } from '../core/ports/stores';

/**
 * Whether the remote as a whole responded to a piece of work (a refusal counts), did not respond, or neither is known.
 */
export type Answered = 'yes' | 'no' | 'unknown';

/** How many failures in a row without a response make a remote pause. */
const TRIPS_AFTER = 5;
const FIRST_REST_MS = 1_000;
const LONGEST_REST_MS = 30_000;

interface Circuit { failures: number; rests: number; restsUntil: number }

/**
 * Keeps this process from spending its workers on remotes that do not respond. After several failures in a row a remote
 * pauses; then one piece of work probes it. The lanes keep their own retry times.
 */
export class Circuits {
  private readonly circuits = new Map<string, Circuit>();

  /** @param now a clock in milliseconds that a changed wall time does not move */
  constructor(private readonly now: () => number, private readonly random: () => number, private readonly onChange: (farSideId: string, state: 'resting' | 'back') => void) {}

  /** Returns how much work the remote may have running: none, or one probe. Null: no limit of the breaker. */
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
    // Work that was running when the pause began adds no information.
    if (next.failures < TRIPS_AFTER || this.now() < next.restsUntil) return;
    if (next.rests === 0) this.onChange(farSideId, 'resting');
    next.restsUntil = this.now() + Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** next.rests) * (0.5 + 0.5 * this.random());
    next.rests += 1;
  }
}

/** Counts the running work of one kind for each remote, so that no remote occupies all workers. */
export class FarSides {
  private readonly underWay = new Map<string, number>();

  constructor(private readonly each: number, private readonly circuits: Circuits) {}

  /** The free capacity for the next claim. */
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
