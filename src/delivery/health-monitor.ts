import { ProviderAuthError, ProviderUnavailableError } from '../core/errors';
import type { FlowDeps } from '../core/flows/deps';
import { FAILING_SYNCS, healthFlows } from '../core/flows/setup/health';
import { instantOf } from '../core/ports/clock';
import { describeFailure } from './describe-failure';
import type { LoopLog } from './loop';
import { WorkPool } from './work-pool';

interface SessionReference {
  readonly organizationId: string;
  readonly sessionId: string;
}
type Kind = 'DELIVERY' | 'SYNC';

const CONCURRENCY = 4;

/**
 * Maintains the health of accounts. One replica inspects each account on a schedule. An account is marked as soon as
 * its credentials fail, and cleared at the first success of the same kind of work. A success costs nothing while no
 * account is marked.
 */
export class HealthMonitor {
  private readonly checks: WorkPool;
  private readonly flows: ReturnType<typeof healthFlows>;
  private hasUnauthorized = false;

  constructor(
    private readonly deps: FlowDeps,
    private readonly log: LoopLog,
    onRoom: () => void,
  ) {
    this.checks = new WorkPool(CONCURRENCY, onRoom);
    this.flows = healthFlows(deps);
  }

  /** Claims and starts the inspections that are due. */
  async tick(): Promise<boolean> {
    const { setup } = this.deps.stores;
    this.hasUnauthorized = await setup.hasUnauthorizedAccounts();
    if (this.checks.freeSlots === 0) return false;
    const due = await setup.claimChecks(this.checks.freeSlots, this.deps.limits.checkMs);
    for (const account of due)
      this.checks.run(async () => {
        try {
          await this.flows.checkAccount(account);
        } catch (error) {
          this.log.error(
            {
              accountId: account.id,
              organizationId: account.organizationId,
              work: 'checks',
              ...describeFailure(error),
              next: 'It is inspected again at the next interval. Check that the database responds.',
            },
            'inspection of an account failed',
          );
        }
      });
    return due.length > 0;
  }

  /**
   * Records a failure. Called after each one, before it is counted. `failures`: failures in a row, including this one.
   */
  async recordFailure(
    { organizationId, sessionId, remoteId }: SessionReference & { readonly remoteId: string },
    kind: Kind,
    error: unknown,
    failures = 0,
  ): Promise<void> {
    // The inspection names the conversation; the timer alone would come much later.
    if (
      kind === 'SYNC' &&
      failures === FAILING_SYNCS.failures + 1 &&
      error instanceof ProviderUnavailableError &&
      error.isConversationOnly
    )
      await this.deps.stores.setup.scheduleCheck(remoteId, 0);
    if (!(error instanceof ProviderAuthError)) return;
    this.hasUnauthorized = true;
    await this.flows.recordFailedCredentials(organizationId, sessionId, error, kind);
  }

  async recordSuccess({ organizationId, sessionId }: SessionReference, kind: Kind): Promise<void> {
    if (this.hasUnauthorized)
      await this.deps.stores.setup.markRecovered(organizationId, sessionId, kind, instantOf(this.deps.clock.now()));
  }

  stop(): Promise<void> {
    return this.checks.waitUntilIdle();
  }
}
