import { ConflictError, InvalidInputError } from '../../errors';
import { instantOf } from '../../ports/clock';
import type { SetupStore } from '../../ports/stores';
import type { AccountRecord } from '../../setup';
import { requireAccount } from './find-account';
import type { Flows } from '../api';
import type { RotateWebhookSecretInput } from '../api/setup';
import type { Scope } from '../api/scope';
import type { FlowDeps, ProviderDeps } from '../deps';
import { connectInbox } from './inbox';
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

/** Registers the new URL. Returns one sentence for the operator for each inbox that may still have an earlier one. */
async function registerSecret(deps: ProviderDeps, account: AccountRecord): Promise<readonly string[]> {
  const left: string[] = [];
  for (const inbox of await deps.stores.setup.listInboxes(account.organizationId, account.id)) {
    if (inbox.state !== 'READY') continue;
    const { state, problem } = await connectInbox(deps, account, inbox).catch((error: unknown) => {
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

/**
 * Changes the secret in the URL at which a provider sends webhooks. The new secret is accepted from the first commit
 * on, and then registered inbox by inbox, so that no webhook is refused meanwhile. Repeating the call with the same key
 * continues with unregistered inboxes; an inspection of the account and a repair do so too.
 */
async function rotateWebhookSecret(deps: ProviderDeps, scope: Scope, input: RotateWebhookSecretInput) {
  const key = validateId(input.idempotencyKey, 'idempotencyKey');
  const seconds = input.previousValidSeconds ?? PREVIOUS_WEBHOOK_SECONDS;
  if (seconds < 0 || seconds > MAX_PREVIOUS_WEBHOOK_SECONDS)
    throw new InvalidInputError(
      'INPUT_INVALID',
      'previousValidSeconds',
      `previousValidSeconds is ${seconds}; give 0 to ${MAX_PREVIOUS_WEBHOOK_SECONDS}.`,
    );
  const { id } = await requireAccount(deps, scope, input.accountId);
  return deps.stores.setupLocks.withLock({ id, field: 'accountId' }, deps.limits.setupMs, async lock => {
    let account = await requireAccount(deps, scope, id);
    if (account.state === 'DISABLED')
      throw new ConflictError(
        'ACCOUNT_DISABLED',
        'accountId',
        `Support account ${id} is disabled. Enable support again first; that also registers its webhooks again.`,
      );
    lock.ensureHeld();
    if (account.webhookRotation?.key !== key) {
      const now = instantOf(deps.clock.now());
      const rotation = {
        key,
        rotatedAt: now,
        previousValidSeconds: seconds,
        previousValidUntil: seconds === 0 ? now : null,
      };
      account = await deps.stores.setup.rotateWebhookSecret(id, deps.clock.newSecret(), rotation);
    }
    const manualSteps = await registerSecret(deps, account);
    if (manualSteps.length === 0) account = await expirePreviousSecrets(deps, account);
    return { account, manualSteps, previousExpiresAt: account.webhookRotation?.previousValidUntil ?? null };
  });
}

export const webhookSecretFlows = (deps: ProviderDeps): Pick<Flows, 'rotateWebhookSecret'> => ({
  rotateWebhookSecret: (scope, input) => rotateWebhookSecret(deps, scope, input),
});
