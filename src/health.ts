import { TIME_LIMITS } from './time-limits';

export interface Check {
  readonly ok: boolean;
  readonly reason?: string;
}

export interface Readiness {
  readonly ready: boolean;
  readonly checks: { readonly database: Check; readonly start: Check; readonly draining: Check };
}

export interface HealthSources {
  /** Returns whether the database accepts writes, with one statement. Any error counts as no. */
  isWritable(): Promise<boolean>;
}

/** Decides whether this replica is ready for requests. Liveness needs no check: a process that responds is alive. */
export class Health {
  private started = false;
  private draining = false;
  private probe: Promise<Check> | null = null;

  constructor(
    private readonly sources: HealthSources,
    private readonly databaseLimitMs: number = TIME_LIMITS.database.readinessMs,
  ) {}

  /** Marks the start as complete. Until then the process responds but is not ready. */
  markStarted(): void {
    this.started = true;
  }

  /** Makes the replica not ready, so that a load balancer uses others. */
  startDraining(): void {
    this.draining = true;
  }

  async readiness(): Promise<Readiness> {
    const database = await this.database();
    const checks = {
      database,
      start: this.started ? { ok: true } : { ok: false, reason: 'the process is still starting' },
      draining: this.draining ? { ok: false, reason: 'the process is stopping' } : { ok: true },
    };
    return { ready: Object.values(checks).every(check => check.ok), checks };
  }

  private async database(): Promise<Check> {
    // Shared, so that probes do not queue up for the pool while the database hangs.
    this.probe ??= Promise.resolve()
      .then(() => this.sources.isWritable())
      .then(
        does =>
          does ? { ok: true } : { ok: false, reason: 'the database accepts no writes: it is a standby, or read-only' },
        () => ({ ok: false, reason: 'the database does not respond to queries' }),
      )
      .finally(() => {
        this.probe = null;
      });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Check>(resolve => {
      timer = setTimeout(
        () => resolve({ ok: false, reason: `the database did not respond within ${this.databaseLimitMs} ms` }),
        this.databaseLimitMs,
      );
    });
    return Promise.race([this.probe, late]).finally(() => clearTimeout(timer));
  }
}
