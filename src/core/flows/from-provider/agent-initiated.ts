import type { ProviderDelivery, ProviderWork } from '../../delivery';
import { ProviderRefusedError } from '../../errors';
import type { AccountId, ProviderConversationId } from '../../ids';
import type { ConversationAccess } from '../../ports/provider/access';
import type { EndUserReference } from '../../ports/provider/webhook';
import type { SupportProvider } from '../../ports/provider/support-provider';
import type { SessionStore } from '../../ports/session-store';
import type { ScanStore } from '../../ports/scan-store';
import { loadProviderContext } from '../provider-context';
import { inboxAccessOf, type FlowDeps } from '../deps';
import type { Lease } from '../lease';

export interface AgentInitiatedStores {
  readonly sessions: Pick<SessionStore, 'transact'>;
  readonly scans: Pick<ScanStore, 'findAgentInitiated'>;
}

/**
 * Enqueues a note for each agent-initiated conversation: with an end-user of ours, in our inbox, but not their
 * session's own, so that nothing said there reaches the end-user. In the session's lane, the note follows the creation
 * of our own conversation, which may not be recorded yet. Called for webhooks about unknown conversations and by full
 * scans. Returns how many it found.
 */
export async function enqueueAgentInitiatedNotes(
  { sessions, scans }: AgentInitiatedStores,
  accountId: AccountId,
  seen: ReadonlyMap<ProviderConversationId, EndUserReference>,
): Promise<number> {
  const strays = await scans.findAgentInitiated(accountId, seen);
  for (const { organizationId, sessionId, conversationId } of strays)
    await sessions.transact(organizationId, sessionId, async tx => {
      if (tx.session.conversationId === conversationId || tx.inbox.state === 'DISABLED') return;
      if (await tx.addAgentInitiated(conversationId))
        await tx.enqueueForProvider({ kind: 'POST_AGENT_INITIATED_NOTE', conversationId });
    });
  return strays.length;
}

type AgentInitiatedWork = Extract<ProviderWork, { readonly kind: 'POST_AGENT_INITIATED_NOTE' }>;

/**
 * Posts the note if an agent has written. It reads the conversation first, because the cause was only a hint. A
 * conversation in which nobody has written is forgotten and may be found again.
 */
export async function postAgentInitiatedNote(
  deps: FlowDeps,
  { organizationId, sessionId, previousAttempts }: ProviderDelivery,
  { conversationId }: AgentInitiatedWork,
  lease: Lease,
): Promise<void> {
  const { provider, account, inbox, session } = await loadProviderContext(deps, organizationId, sessionId);
  const access = inboxAccessOf(deps, account, inbox);
  const noteId = `stray:${conversationId}`;
  if (
    access !== null &&
    session.contactId !== null &&
    session.conversationId !== conversationId &&
    account.capabilities.privateNotes
  )
    try {
      const conversation: ConversationAccess = {
        inbox: access,
        contactId: session.contactId,
        conversationId,
        sessionId,
      };
      const found = await findNote(provider, conversation, noteId, async () => {
        await lease.ensureHeld();
        return lease.signal(deps.limits.callMs);
      });
      if (found === 'spoken') {
        await lease.ensureHeld();
        const where =
          session.conversationId === null
            ? 'once they are handed over, in a conversation that the bot makes'
            : `in conversation ${session.conversationId}: please write there`;
        const text = `What is written in this conversation does not reach the end-user. They are talked to ${where}.`;
        await provider.postNote(
          { conversation, noteId, text, mayExist: previousAttempts > 0, lookupAfter: null },
          lease.signal(deps.limits.callMs),
        );
      }
      if (found !== 'silent') return;
    } catch (error) {
      // The missing conversation is not the session's own.
      if (!(error instanceof ProviderRefusedError && error.gone)) throw error;
    }
  await deps.stores.sessions.transact(organizationId, sessionId, tx => tx.removeAgentInitiated(conversationId));
}

async function findNote(
  provider: SupportProvider,
  conversation: ConversationAccess,
  noteId: string,
  signal: () => Promise<AbortSignal>,
): Promise<'told' | 'spoken' | 'silent'> {
  let found: 'spoken' | 'silent' = 'silent';
  for (let after = null, more = true; more; ) {
    const page = await provider.listMessages({ conversation, after }, await signal());
    if (page.observations.some(one => one.kind === 'echo' && one.ourId === noteId)) return 'told';
    if (
      page.observations.some(
        one => one.kind === 'agentMessage' || one.kind === 'unsupported' || one.kind === 'automaticReply',
      )
    )
      found = 'spoken';
    ({ after, hasMore: more } = page);
  }
  return found;
}
