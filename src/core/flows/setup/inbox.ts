import { ConflictError } from '../../errors';
import { instantOf } from '../../ports/clock';
import type { EnsuredInbox } from '../../ports/provider/setup-verbs';
import type { AccountRecord, InboxRecord } from '../../setup';
import { ambiguousForMs, problemOf, providerOf, signalUnderLock, type Problem } from './find-account';
import { accessOf, type ProviderDeps } from '../deps';
import { DISABLED_WITH_ACCOUNT, isDisabledWithAccount } from './disable';

export const disabledMeanwhileError = (field: string): ConflictError =>
  new ConflictError(
    'ACCOUNT_DISABLED',
    field,
    'Support was disabled while this was being set up, so it stays disabled. Call again to enable it.',
  );

/**
 * Returns the inbox's state after a failed setup. A disabled inbox stays disabled and is enabled by the next attempt. A
 * working inbox keeps working, with the problem shown.
 */
function failedInboxState(inbox: InboxRecord, problem: Problem): Pick<InboxRecord, 'state' | 'problem'> {
  if (inbox.state !== 'DISABLED') return { state: inbox.externalId === null ? 'FAILED' : 'READY', problem };
  return {
    state: 'DISABLED',
    problem: isDisabledWithAccount(inbox) ? { ...problem, code: DISABLED_WITH_ACCOUNT.code } : problem,
  };
}

/**
 * Creates the inbox at the provider, or finds it and brings it up to date. Records any problem on it. Account and
 * inbox are given as they were when the operator called: if one of them was disabled since, that wins.
 */
export const connectInbox = (
  deps: ProviderDeps,
  asked: AccountRecord,
  known: InboxRecord,
  change: (inbox: InboxRecord) => Partial<Pick<InboxRecord, 'name' | 'policy'>> = () => ({}),
): Promise<InboxRecord> =>
  deps.stores.setupLocks.withLock({ id: known.id, field: 'chatbotId' }, deps.limits.setupMs, async lock => {
    const { setup } = deps.stores;
    const account = (await setup.findAccount(asked.organizationId, asked.id))!;
    const before = (await setup.findInbox(known.organizationId, known.id))!;
    if (
      account.state === 'DISABLED' ||
      account.disabledCount !== asked.disabledCount ||
      before.disabledCount !== known.disabledCount
    )
      throw disabledMeanwhileError('chatbotId');
    const inbox = await setup.updateInbox(known.id, change(before));
    const signal = await signalUnderLock(deps, lock, account);
    const finishSetup = async (patch: Parameters<typeof setup.finishInboxSetup>[2]): Promise<InboxRecord> => {
      lock.ensureHeld();
      const concluded = await setup.finishInboxSetup(known, asked, patch);
      if (concluded === null) throw disabledMeanwhileError('chatbotId');
      return concluded;
    };
    try {
      const made = await ensureInbox(deps, account, inbox, signal);
      lock.ensureHeld();
      // Saved also if it stays disabled, so that the next setup finds it.
      await setup.updateInbox(known.id, made);
    } catch (error) {
      lock.keepLockedFor(ambiguousForMs(error));
      return finishSetup(failedInboxState(inbox, problemOf(error)));
    }
    return finishSetup({
      state: 'READY',
      problem: null,
      ...(inbox.state === 'DISABLED' && { reenabledAt: instantOf(deps.clock.now()) }),
    });
  });

const ensureInbox = (
  deps: ProviderDeps,
  account: AccountRecord,
  { id, externalId, providerData, chatbotId, name, policy }: InboxRecord,
  signal: AbortSignal,
): Promise<EnsuredInbox> =>
  providerOf(deps, account.provider).instance.ensureInbox(
    {
      account: accessOf(deps, account),
      externalId,
      providerData,
      inboxId: id,
      chatbotId,
      name,
      allowsAutomaticReplies: policy.automaticReplies === 'FORWARD',
    },
    signal,
  );

/** Enables the inboxes that were disabled with the account. Returns which stay disabled, and why. */
export async function connectInboxes(deps: ProviderDeps, account: AccountRecord): Promise<readonly string[]> {
  const stillOff: string[] = [];
  for (const inbox of await deps.stores.setup.listInboxes(account.organizationId, account.id)) {
    if (!isDisabledWithAccount(inbox)) continue;
    const { state, problem } = await connectInbox(deps, account, inbox).catch((error: unknown) => {
      if (!(error instanceof ConflictError)) throw error;
      return { state: inbox.state, problem: error };
    });
    if (state !== 'READY') stillOff.push(`Chatbot ${inbox.chatbotId} stays disabled: ${problem?.message ?? state}`);
  }
  return stillOff;
}
