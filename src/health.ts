import { TIME_LIMITS } from './time-limits';

export interface Check { readonly ok: boolean; readonly reason?: string }

export interface Readiness {
  readonly ready: boolean;
  readonly checks: { readonly database: Check; readonly start: Check; readonly draining: Check };
}

export interface HealthSources {
  /** One statement: whether the database can be written to. How it fails does not matter. */
  takesWrites(): Promise<boolean>;
}

/** Whether this replica should be sent requests. Being alive needs no check: a process that answers is alive. */
export class Health {
  private started = false;
  private draining = false;
  private probe: Promise<Check> | null = null;

  constructor(private readonly sources: HealthSources, private readonly databaseLimitMs: number = TIME_LIMITS.database.readinessMs) {}

  /** The whole process runs: before this it serves, and should not be sent anything yet. */
  hasStarted(): void { this.started = true; }

  /** From now on not ready, so that a load balancer looks elsewhere. */
  startDraining(): void { this.draining = true; }

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
    // Shared: questions that come while the database hangs must not queue up behind its pool.
    this.probe ??= Promise.resolve()
      .then(() => this.sources.takesWrites())
      .then(does => (does ? { ok: true } : { ok: false, reason: 'the database takes no writes: it is a standby, or set to read-only' }), () => ({ ok: false, reason: 'the database does not answer queries' }))
      .finally(() => { this.probe = null; });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Check>(resolve => {
      timer = setTimeout(() => resolve({ ok: false, reason: `the database did not answer within ${this.databaseLimitMs} ms` }), this.databaseLimitMs);
    });
    return Promise.race([this.probe, late]).finally(() => clearTimeout(timer));
  }
}
