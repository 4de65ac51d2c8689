import type { ProviderWork } from '../../delivery';
import { ProviderRefusedError } from '../../errors';
import type { ConversationAccess } from '../../ports/provider/access';
import { inboxAccessOf } from '../deps';
import type { DeliveryContext } from './delivery-context';

type AgentInitiatedWork = Extract<ProviderWork, { readonly kind: 'POST_AGENT_INITIATED_NOTE' }>;

/**
 * Posts the note about an agent-initiated conversation if an agent has written. It reads the conversation first,
 * because the cause was only a hint. A conversation in which nobody has written is forgotten and may be found again.
 */
export async function postAgentInitiatedNote(
  context: DeliveryContext,
  { conversationId }: AgentInitiatedWork,
): Promise<void> {
  const { deps, account, inbox, session } = context;
  const access = inboxAccessOf(deps, account, inbox);
  const { contactId } = session;
  const canPost =
    access !== null &&
    contactId !== null &&
    session.conversationId !== conversationId &&
    account.capabilities.privateNotes;
  if (canPost)
    try {
      if (await isNoted(context, { inbox: access, contactId, conversationId, sessionId: session.id })) return;
    } catch (error) {
      // The missing conversation is not the session's own.
      if (!(error instanceof ProviderRefusedError && error.gone)) throw error;
    }
  await context.transact(tx => tx.removeAgentInitiated(conversationId));
}

/** Posts the note unless it is there. False: nobody has written in the conversation. */
async function isNoted(
  { provider, session, isFirstAttempt }: DeliveryContext,
  conversation: ConversationAccess,
): Promise<boolean> {
  const noteId = `stray:${conversation.conversationId}`;
  const found = await findNote(provider, conversation, noteId);
  if (found === 'SPOKEN') {
    const where =
      session.conversationId === null
        ? 'once they are handed over, in a conversation that the bot makes'
        : `in conversation ${session.conversationId}: please write there`;
    const text = `What is written in this conversation does not reach the end-user. They are talked to ${where}.`;
    await provider.postNote({ conversation, noteId, text, mayExist: !isFirstAttempt, lookupAfter: null });
  }
  return found !== 'SILENT';
}

async function findNote(
  provider: DeliveryContext['provider'],
  conversation: ConversationAccess,
  noteId: string,
): Promise<'NOTED' | 'SPOKEN' | 'SILENT'> {
  let found: 'SPOKEN' | 'SILENT' = 'SILENT';
  for (let after = null, more = true; more; ) {
    const page = await provider.listMessages({ conversation, after });
    if (page.observations.some(one => one.kind === 'echo' && one.ourId === noteId)) return 'NOTED';
    if (
      page.observations.some(
        one => one.kind === 'agentMessage' || one.kind === 'unsupported' || one.kind === 'automaticReply',
      )
    )
      found = 'SPOKEN';
    ({ after, hasMore: more } = page);
  }
  return found;
}
