import type { RemoteCapacity } from '../core/ports/lane-store';

/**
 * Whether the remote as a whole responded to a piece of work (a refusal counts), did not respond, or neither is known.
 */
export type Reachability = 'yes' | 'no' | 'unknown';

/** How many failures in a row without a response make a remote pause. */
const TRIPS_AFTER = 5;
const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 30_000;

interface CircuitState {
  failures: number;
  pauses: number;
  pausedUntil: number;
}

/**
 * Keeps this process from spending its workers on remotes that do not respond. After several failures in a row a remote
 * pauses; then one piece of work probes it. The lanes keep their own retry times.
 */
export class CircuitBreakers {
  private readonly circuits = new Map<string, CircuitState>();

  /** @param now a clock in milliseconds that a changed wall time does not move */
  constructor(
    private readonly now: () => number,
    private readonly random: () => number,
    private readonly onChange: (remoteId: string, state: 'resting' | 'back') => void,
  ) {}

  /** Returns how much work the remote may have running: none, or one probe. Null: no limit of the breaker. */
  concurrencyFor(remoteId: string): 0 | 1 | null {
    const circuit = this.circuits.get(remoteId);
    if (circuit === undefined || circuit.pauses === 0) return null;
    return this.now() < circuit.pausedUntil ? 0 : 1;
  }

  get failingRemotes(): Iterable<string> {
    return this.circuits.keys();
  }

  report(remoteId: string, answered: Reachability): void {
    const circuit = this.circuits.get(remoteId);
    if (answered === 'unknown') return;
    if (answered === 'yes') {
      this.circuits.delete(remoteId);
      if (circuit !== undefined && circuit.pauses > 0) this.onChange(remoteId, 'back');
      return;
    }
    const next = circuit ?? { failures: 0, pauses: 0, pausedUntil: 0 };
    this.circuits.set(remoteId, next);
    next.failures += 1;
    // Work that was running when the pause began adds no information.
    if (next.failures < TRIPS_AFTER || this.now() < next.pausedUntil) return;
    if (next.pauses === 0) this.onChange(remoteId, 'resting');
    next.pausedUntil =
      this.now() + Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** next.pauses) * (0.5 + 0.5 * this.random());
    next.pauses += 1;
  }
}

/** Counts the running work of one kind for each remote, so that no remote occupies all workers. */
export class RemoteLimiter {
  private readonly running = new Map<string, number>();

  constructor(
    private readonly each: number,
    private readonly breakers: CircuitBreakers,
  ) {}

  /** The free capacity for the next claim. */
  get capacity(): RemoteCapacity {
    const but = new Map<string, number>();
    for (const remoteId of [...this.running.keys(), ...this.breakers.failingRemotes]) {
      const allowed = this.breakers.concurrencyFor(remoteId) ?? this.each;
      const room = Math.max(0, allowed - (this.running.get(remoteId) ?? 0));
      if (room !== this.each) but.set(remoteId, room);
    }
    return { perRemote: this.each, exceptions: but };
  }

  report(remoteId: string, answered: Reachability): void {
    this.breakers.report(remoteId, answered);
  }

  /** Runs the work, and reports to the breaker whether the remote responded. */
  async run(remoteId: string, work: () => Promise<Reachability>): Promise<void> {
    this.running.set(remoteId, (this.running.get(remoteId) ?? 0) + 1);
    try {
      this.breakers.report(remoteId, await work());
    } finally {
      const left = this.running.get(remoteId)! - 1;
      if (left === 0) this.running.delete(remoteId);
      else this.running.set(remoteId, left);
    }
  }
}
