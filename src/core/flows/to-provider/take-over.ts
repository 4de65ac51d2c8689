import { isOpen, type HandoffRecord } from '../../handoff';
import { instantOf } from '../../ports/clock';
import type { ConversationAccess } from '../../ports/provider/access';
import type { ConversationView } from '../../conversation-view';
import { endedStatusWrites } from '../status-writes';
import { beginStatusWrite, isRefused, type DeliveryContext } from './delivery-context';

/**
 * Opens a bot-held conversation for the agent who replied in it or took it, unless that agent has resolved it already.
 */
export async function openTakeover(context: DeliveryContext, handoffId: string): Promise<void> {
  const { deps, conversation, handoff } = context;
  // An earlier attempt has opened it. Do not overwrite what agents did since.
  if (handoff?.openedForAgents === 'YES') return;
  const lastView =
    conversation !== null && handoff !== null && isOpen(handoff.state)
      ? await openForAgent(context, conversation, handoff)
      : context.session.lastView;
  await context.transact(async tx => {
    await tx.updateSession({ statusWrites: endedStatusWrites(tx.session.statusWrites) });
    // The conversation was lost in the meantime. The flow for lost conversations opens it again.
    if (conversation !== null && tx.session.conversationId !== conversation.conversationId) return;
    if (conversation === null && tx.liveHandoff?.id === handoffId && tx.liveHandoff.state === 'REQUESTED') return;
    await tx.updateSession({ lastView });
    if ((await tx.findHandoff(handoffId)) !== null) await tx.updateHandoff(handoffId, { openedForAgents: 'YES' });
    await tx.requestSync(instantOf(deps.clock.now()));
  });
}

/** Returns the view afterwards, so that the agent who is found or assigned here does not count as new later. */
async function openForAgent(
  context: DeliveryContext,
  conversation: ConversationAccess,
  handoff: HandoffRecord,
): Promise<ConversationView> {
  const { provider } = context;
  // A return that was delivered before this one may have ended the status write.
  await beginStatusWrite(context);
  const view = await provider.readConversation(conversation);
  const agent = view.agent ?? (handoff.agent && { externalId: handoff.agent.externalId, name: handoff.agent.name });
  // It was opened for the queue and is not open any more: an agent has returned it.
  if (view.status !== 'BOT_HELD' || agent === null) return view;
  const open = (agentId: string | null) =>
    provider.openForAgents({ conversation, teamId: null, agentId, priority: null });
  const toAssign = view.agent === null ? agent.externalId : null;
  let isAssigned = true;
  // If the agent cannot be assigned, the conversation is opened to everybody.
  await open(toAssign).catch((error: unknown) => {
    if (toAssign === null || !isRefused(error)) throw error;
    isAssigned = false;
    return open(null);
  });
  return { status: 'OPEN', agent: isAssigned ? agent : null, teamId: view.teamId };
}
