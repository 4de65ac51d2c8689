import { ProviderUnavailableError } from '../../src/core/errors';
import type { FlowDeps } from '../../src/core/flows/deps';
import { finishEndings } from '../../src/core/flows/handoff/finish-endings';
import { runFullScan } from '../../src/core/flows/from-provider/full-scan';
import { scanAccount, scanClaimMs } from '../../src/core/flows/from-provider/scan-account';
import type { SupportProvider } from '../../src/core/ports/provider/support-provider';
import { CircuitBreakers } from '../../src/delivery/remote-limiter';
import { HealthMonitor } from '../../src/delivery/health-monitor';
import { LaneRunner } from '../../src/delivery/lane-runner';
import { createProviderHandler } from '../../src/delivery/provider-handler';
import { SyncRunner } from '../../src/delivery/sync-runner';
import { scriptedDefinition } from '../../src/testing/scripted-provider';

export const JOBS = ['deliver', 'read', 'endings', 'look', 'scan'] as const;
export type Job = (typeof JOBS)[number];

export const LEASE_MS = 60_000;
/**
 * One second of the story is this many seconds of the database, so that no real time decides what is due, however slow
 * the machine is.
 */
const STRETCH = 100_000;

/** Where a process can be interrupted: around each remote call and each commit. */
export interface Moment {
  readonly what: 'call' | 'commit';
  readonly name: string;
  readonly when: 'before' | 'after';
}
export type Cut = 'nothing arrived' | 'answer lost';

const CALLS = [
  'ensureContact',
  'openConversation',
  'postMessage',
  'postNote',
  'postTranscript',
  'returnToBot',
  'openForAgents',
  'resolve',
  'readConversation',
  'listMessages',
  'listChangedConversations',
];
const CLAIMS = ['claimDeliveries', 'claimSyncs'];
const silent = { error: () => undefined, info: () => undefined, warn: () => undefined };

/**
 * One replica's worker on one piece of work, with the service's own runners. It runs for the given number of moments
 * and pauses there: others act meanwhile, or it dies there, or it continues when its time is long over.
 */
export class Worker {
  at: Moment | null = null;
  /** Whether there was work. */
  found = false;
  private since = 0;
  private steps = 0;
  private goOn: ((error?: Error) => void) | undefined;
  private stopped: () => void = () => undefined;
  private work: Promise<void> | undefined;

  /** @param now the story's time in milliseconds */
  constructor(
    readonly job: Job,
    private readonly deps: FlowDeps,
    private readonly provider: SupportProvider,
    private readonly now: () => number,
  ) {}

  /** Resolves when it pauses again or is done. */
  async go(steps: number, cut?: Cut): Promise<void> {
    this.steps = steps;
    const still = new Promise<void>(resolve => {
      this.stopped = resolve;
    });
    const error = this.at === null ? undefined : this.errorAt(this.at, cut);
    this.at = null;
    if (this.work === undefined) this.work = this.run();
    else this.goOn!(error);
    await Promise.race([still, this.work]);
  }

  toString(): string {
    return `${this.job} ${this.at === null ? 'done' : `${this.at.when} ${this.at.name}`}`;
  }

  private errorAt({ what, when }: Moment, cut: Cut | undefined): Error | undefined {
    if (what === 'commit') return cut === undefined ? undefined : new Error('The database did not answer.');
    // A call that pauses for longer than its time limit ends because of that.
    if (this.now() - this.since > this.deps.limits.callMs)
      return new ProviderUnavailableError('out of time', { delivered: 'unknown' });
    return cut === undefined
      ? undefined
      : new ProviderUnavailableError('away', {
          delivered: when === 'before' && cut === 'nothing arrived' ? 'no' : 'unknown',
        });
  }

  private async moment(what: Moment['what'], name: string, when: Moment['when']): Promise<void> {
    if (this.steps-- > 0) return;
    this.at = { what, name, when };
    this.since = this.now();
    const error = new Promise<Error | undefined>(resolve => {
      this.goOn = resolve;
    });
    this.stopped();
    const thrown = await error;
    if (thrown) throw thrown;
  }

  private async run(): Promise<void> {
    const deps = this.interruptible();
    const options = { leaseMs: LEASE_MS, concurrency: 1, concurrencyPerRemote: 1, pollMs: 1 };
    const circuits = new CircuitBreakers(this.now, deps.clock.random, () => undefined);
    const health = new HealthMonitor(deps, silent, () => undefined);
    switch (this.job) {
      case 'deliver': {
        const runner = new LaneRunner(
          deps.stores.lanes,
          createProviderHandler(deps, health),
          options,
          circuits,
          silent,
          () => undefined,
        );
        this.found = await runner.tick().catch(unlessOurs);
        return runner.waitUntilIdle();
      }
      case 'read': {
        for (const cause of ['HINT', 'TIMER'] as const) {
          const runner = new SyncRunner(cause, deps, health, options, circuits, silent, () => undefined);
          this.found = await runner.tick().catch(unlessOurs);
          await runner.waitUntilIdle();
          if (this.found) return;
        }
        return;
      }
      case 'endings':
        return void (this.found = await finishEndings(deps, 100, (_, error) => {
          unlessOurs(error);
        }).then(count => count > 0, unlessOurs));
      case 'scan': {
        const scan = await deps.stores.scans.claimScan(scanClaimMs(deps));
        if (scan !== null) await scanAccount(deps, scan, new AbortController().signal).catch(unlessOurs);
        return void (this.found = scan !== null);
      }
      case 'look':
        return void (this.found = await runFullScan(deps, new AbortController().signal).then(
          look => look !== null,
          unlessOurs,
        ));
    }
  }

  private interruptible(): FlowDeps {
    const around = <T extends object>(
      target: T,
      what: Moment['what'],
      names: readonly string[],
      change = (_name: string, all: unknown[]) => all,
    ): T =>
      new Proxy(target, {
        get: (_, name: string) => {
          const value = Reflect.get(target, name) as unknown;
          if (typeof value !== 'function') return value;
          if (!names.includes(name)) return value.bind(target);
          return async (...all: unknown[]) => {
            if (!CLAIMS.includes(name)) await this.moment(what, name, 'before');
            const answer: unknown = await value.apply(target, change(name, all));
            if (!Array.isArray(answer) || answer.length > 0) await this.moment(what, name, 'after');
            return answer;
          };
        },
      });
    const { stores } = this.deps;
    const instance = around(this.provider, 'call', CALLS);
    return {
      ...this.deps,
      providers: new Map([['scripted', { definition: scriptedDefinition(instance), instance }]]),
      stores: {
        ...stores,
        sessions: around(stores.sessions, 'commit', ['transact']),
        lanes: around(
          stores.lanes,
          'commit',
          [...CLAIMS, 'complete', 'completeAndTakeNext', 'retry', 'park', 'renew', 'finishSync'],
          stretched,
        ),
        scans: around(
          stores.scans,
          'commit',
          ['requestSyncs', 'pauseFullScan', 'finishFullScan', 'requestTimerSyncs', 'finishScan'],
          stretched,
        ),
      },
    };
  }
}

/** As the worker's loops do: the error is logged, and the next tick comes. */
function unlessOurs(error: unknown): false {
  if (!/did not answer|away|out of time/.test((error as Error).message)) throw error;
  return false;
}

/** Which argument of a statement is a time, from now. */
const TIMES: Readonly<Record<string, number>> = {
  claimDeliveries: 2,
  completeAndTakeNext: 1,
  claimSyncs: 2,
  retry: 1,
  renew: 1,
  finishSync: 1,
  requestTimerSyncs: 2,
};
function stretched(name: string, all: unknown[]): unknown[] {
  return all.map((argument, i) => (i === TIMES[name] && typeof argument === 'number' ? argument * STRETCH : argument));
}

/**
 * Two processes of one database server can differ in their current time. Work that is due at once must be due for all
 * of them.
 */
export const DUE_IS_DUE = `
  with lanes as (
    update lane set next_run_at = next_run_at - interval '2 s' where next_run_at between now() - interval '2 s' and now() + interval '1 s'
  )
  update account_scan set next_full_scan_at = next_full_scan_at - interval '2 s', next_scan_at = next_scan_at - interval '2 s' where next_full_scan_at between now() - interval '2 s' and now() + interval '1 s'`;

export const timePasses = (ms: number): { readonly text: string; readonly values: readonly unknown[] } => ({
  text: "with watches as (update account_scan set next_scan_at = next_scan_at - $2 * interval '1 ms') update lane set next_run_at = next_run_at - $1 * interval '1 ms', requested_at = requested_at - $1 * interval '1 ms' where next_run_at is not null",
  values: [ms * STRETCH, ms],
});
