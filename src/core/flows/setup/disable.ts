import { NotFoundError } from '../../errors';
import { isOpen, type HandoffRecord } from '../../handoff';
import type { ChatbotId, OrganizationId, SessionId } from '../../ids';
import type { InboxRecord } from '../../setup';
import { requireAccount } from './find-account';
import type { Flows } from '../api';
import type { Scope } from '../api/scope';
import { endLiveHandoff } from '../handoff/transition';
import { endedStatusWrites } from '../status-writes';
import type { FlowDeps, StoreDeps } from '../deps';
import { syncBeforeEnd } from '../from-provider/sync-before-end';

const PAGE_SIZE = 100;

/** The problem of an inbox that was disabled with its organization and is enabled with it. */
export const DISABLED_WITH_ACCOUNT = {
  code: 'ACCOUNT_DISABLED',
  message: 'Support was disabled for the organization; enable it again.',
} as const;

export const isDisabledWithAccount = ({ state, problem }: InboxRecord): boolean =>
  state === 'DISABLED' && problem?.code === DISABLED_WITH_ACCOUNT.code;

/**
 * Ends the live handoff of a session whose support is disabled. Enqueues nothing for the provider, so the conversation
 * stays there as it is. Also called by the worker for work that was enqueued before support was disabled. Ends nothing
 * if support is enabled again by then (`isDisabled` false).
 */
export async function endHandoffIfDisabled(
  deps: StoreDeps,
  organizationId: OrganizationId,
  sessionId: SessionId,
): Promise<{ readonly isDisabled: boolean; readonly hasEnded: boolean }> {
  const { result } = await deps.stores.sessions.transact(organizationId, sessionId, async tx => {
    if (tx.inbox.state !== 'DISABLED') return { isDisabled: false, hasEnded: false };
    // An interrupted status write will never be finished, so no view may wait for it.
    if (tx.session.statusWrites % 2 === 1)
      await tx.updateSession({ statusWrites: endedStatusWrites(tx.session.statusWrites) });
    if (tx.liveHandoff === null || !isOpen(tx.liveHandoff.state)) return { isDisabled: true, hasEnded: false };
    await endLiveHandoff(tx, deps, tx.liveHandoff, 'OPERATOR_ENDED');
    return { isDisabled: true, hasEnded: true };
  });
  return result;
}

async function* liveHandoffsOf(
  deps: StoreDeps,
  organizationId: OrganizationId,
  chatbotIds: readonly ChatbotId[],
): AsyncGenerator<HandoffRecord> {
  if (chatbotIds.length === 0) return;
  const filter = { chatbotIds, states: null, live: true, teamIds: null, sessionId: null };
  for (let after: string | null = null; ; ) {
    const page = await deps.stores.handoffs.page(organizationId, filter, { first: PAGE_SIZE, after });
    for (const { node } of page.edges) yield node;
    if (!page.hasNextPage) return;
    after = page.edges.at(-1)!.cursor;
  }
}

async function endLiveHandoffs(
  deps: StoreDeps,
  organizationId: OrganizationId,
  chatbotIds: readonly ChatbotId[],
): Promise<number> {
  let ended = 0;
  for await (const { sessionId } of liveHandoffsOf(deps, organizationId, chatbotIds))
    if ((await endHandoffIfDisabled(deps, organizationId, sessionId)).hasEnded) ended += 1;
  return ended;
}

async function disableChatbot(deps: FlowDeps, scope: Scope, chatbotId: ChatbotId) {
  const inbox = await deps.stores.setup.findInboxByChatbot(scope.organizationId, chatbotId);
  if (inbox === null)
    throw new NotFoundError(
      'CHATBOT_NOT_ENABLED',
      'chatbotId',
      'This chatbot has no support inbox, so there is nothing to disable.',
    );
  if (inbox.state !== 'DISABLED') await syncBeforeEnd(deps, liveHandoffsOf(deps, scope.organizationId, [chatbotId]));
  // This also applies to an inbox that is disabled with its organization: from now on it stays disabled by itself.
  const disabled = await deps.stores.setup.disableInbox(inbox.id);
  return { inbox: disabled, endedHandoffs: await endLiveHandoffs(deps, scope.organizationId, [chatbotId]) };
}

async function disableSupport(deps: FlowDeps, scope: Scope, accountId: string | null) {
  const { id } = await requireAccount(deps, scope, accountId);
  const enabled = (await deps.stores.setup.listInboxes(scope.organizationId, id)).filter(
    ({ state }) => state !== 'DISABLED',
  );
  await syncBeforeEnd(
    deps,
    liveHandoffsOf(
      deps,
      scope.organizationId,
      enabled.map(({ chatbotId }) => chatbotId),
    ),
  );
  const account = await deps.stores.setup.disableAccount(id, DISABLED_WITH_ACCOUNT);
  const inboxes = await deps.stores.setup.listInboxes(scope.organizationId, id);
  return {
    account,
    endedHandoffs: await endLiveHandoffs(
      deps,
      scope.organizationId,
      inboxes.map(inbox => inbox.chatbotId),
    ),
  };
}

/**
 * Disables support. It first syncs agents' messages, for a limited time. Then it disables the inbox, so that nothing
 * new begins, and ends live handoffs. Links stay, and nothing changes at the provider: enabling support again finds the
 * same account, inboxes and conversations.
 */
export const disableFlows = (deps: FlowDeps): Pick<Flows, 'disableSupport' | 'disableChatbot'> => ({
  disableSupport: (scope, accountId) => disableSupport(deps, scope, accountId),
  disableChatbot: (scope, chatbotId) => disableChatbot(deps, scope, chatbotId),
});
