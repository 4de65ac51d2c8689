import { ConflictError, InvalidInputError } from '../../errors';
import { instantOf } from '../../ports/clock';
import type { SetupStore } from '../../ports/stores';
import type { AccountRecord } from '../../setup';
import { createSetupTools } from './find-account';
import type { Flows } from '../api';
import type { RotateWebhookSecretInput } from '../api/setup';
import type { Scope } from '../api/scope';
import type { FlowDeps } from '../deps';
import { createInboxSetup } from './inbox';
import { validateId } from '../from-runtime/record-message';

/** How long the previous secret is accepted after a rotation, by default and at most. */
export const PREVIOUS_WEBHOOK_SECONDS = 86_400;
const MAX_PREVIOUS_WEBHOOK_SECONDS = 7 * 86_400;

/**
 * Sets the end of earlier webhook secrets of an account whose provider has the new URL everywhere. Called when a
 * rotation or an inspection has found that. Changes nothing if no rotation waits for it.
 */
export async function expirePreviousSecrets(
  deps: {
    readonly stores: { readonly setup: Pick<SetupStore, 'updateAccount'> };
    readonly clock: Pick<FlowDeps['clock'], 'now'>;
  },
  account: AccountRecord,
): Promise<AccountRecord> {
  const { webhookRotation: rotation } = account;
  if (rotation === null || rotation.previousValidUntil !== null) return account;
  const previousValidUntil = instantOf(deps.clock.now() + rotation.previousValidSeconds * 1_000);
  return deps.stores.setup.updateAccount(account.id, { webhookRotation: { ...rotation, previousValidUntil } });
}

/**
 * Changes the secret in the URL at which a provider sends webhooks. The new secret is accepted from the first commit
 * on, and then registered inbox by inbox, so that no webhook is refused meanwhile. Repeating the call with the same key
 * continues with unregistered inboxes; an inspection of the account and a repair do so too.
 */
export function webhookSecretFlows(deps: FlowDeps): Pick<Flows, 'rotateWebhookSecret'> {
  const {
    clock,
    stores: { setup, setupLocks },
  } = deps;
  const { accountFor } = createSetupTools(deps);
  const { connectInbox } = createInboxSetup(deps);

  /** Registers the new URL. Returns one sentence for the operator for each inbox that may still have an earlier one. */
  async function registerSecret(account: AccountRecord): Promise<readonly string[]> {
    const left: string[] = [];
    for (const inbox of await setup.listInboxes(account.organizationId, account.id)) {
      if (inbox.state !== 'READY') continue;
      const { state, problem } = await connectInbox(account, inbox).catch((error: unknown) => {
        if (!(error instanceof ConflictError)) throw error;
        return { state: inbox.state, problem: error };
      });
      if (problem !== null)
        left.push(
          `The inbox of chatbot ${inbox.chatbotId} (${state}) may still use an earlier URL: ${problem.message} Repeat the call.`,
        );
    }
    return left;
  }

  return {
    async rotateWebhookSecret(scope: Scope, input: RotateWebhookSecretInput) {
      const key = validateId(input.idempotencyKey, 'idempotencyKey');
      const seconds = input.previousValidSeconds ?? PREVIOUS_WEBHOOK_SECONDS;
      if (seconds < 0 || seconds > MAX_PREVIOUS_WEBHOOK_SECONDS)
        throw new InvalidInputError(
          'INPUT_INVALID',
          'previousValidSeconds',
          `previousValidSeconds is ${seconds}; give 0 to ${MAX_PREVIOUS_WEBHOOK_SECONDS}.`,
        );
      const { id } = await accountFor(scope, input.accountId);
      return setupLocks.withLock({ id, field: 'accountId' }, deps.limits.setupMs, async lock => {
        let account = await accountFor(scope, id);
        if (account.state === 'DISABLED')
          throw new ConflictError(
            'ACCOUNT_DISABLED',
            'accountId',
            `Support account ${id} is disabled. Enable support again first; that also registers its webhooks again.`,
          );
        lock.ensureHeld();
        if (account.webhookRotation?.key !== key) {
          const now = instantOf(clock.now());
          const rotation = {
            key,
            rotatedAt: now,
            previousValidSeconds: seconds,
            previousValidUntil: seconds === 0 ? now : null,
          };
          account = await setup.rotateWebhookSecret(id, clock.newSecret(), rotation);
        }
        const manualSteps = await registerSecret(account);
        if (manualSteps.length === 0) account = await expirePreviousSecrets(deps, account);
        return { account, manualSteps, previousExpiresAt: account.webhookRotation?.previousValidUntil ?? null };
      });
    },
  };
}
