import { isOpen, type HandoffRecord } from '../../handoff';
import { instantOf } from '../../ports/clock';
import type { ConversationAccess } from '../../ports/provider/access';
import type { ConversationView } from '../../conversation-view';
import { endedStatusWrites } from '../status-writes';
import { beginStatusWrite, isRefused, type DeliveryContext } from './delivery-context';

/**
 * Opens a bot-held conversation in the name of the agent who spoke to, or took it; not if they have resolved it already.
 */
export async function openTakeover(context: DeliveryContext, handoffId: string): Promise<void> {
  const { deps, conversation, handoff } = context;
  // Only the delivery's own completion was lost: what the agents have done with it since stands.
  if (handoff?.openedForAgents === 'YES') return;
  const lastView =
    conversation !== null && handoff !== null && isOpen(handoff.state)
      ? await openForAgent(context, conversation, handoff)
      : context.session.lastView;
  await context.transact(async tx => {
    await tx.updateSession({ statusWrites: endedStatusWrites(tx.session.statusWrites) });
    // Lost meanwhile, it is opened again from its beginning, if at all.
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
  // A return that came before this delivery in the lane may have made it even.
  await beginStatusWrite(context);
  const view = await provider.readConversation(conversation);
  const agent = view.agent ?? (handoff.agent && { externalId: handoff.agent.externalId, name: handoff.agent.name });
  // One that was opened for the queue, and is not open any more, was given back.
  if (view.status !== 'BOT_HELD' || agent === null) return view;
  const open = (agentId: string | null) =>
    provider.openForAgents({ conversation, teamId: null, agentId, priority: null });
  const toAssign = view.agent === null ? agent.externalId : null;
  let isAssigned = true;
  // An agent who cannot be assigned has spoken all the same: the conversation is opened for everybody.
  await open(toAssign).catch((error: unknown) => {
    if (toAssign === null || !isRefused(error)) throw error;
    isAssigned = false;
    return open(null);
  });
  return { status: 'OPEN', agent: isAssigned ? agent : null, teamId: view.teamId };
}
