import type { ProviderDelivery } from '../../delivery';
import { canMove } from '../../handoff-transitions';
import { isOpen } from '../../handoff';
import { isUpTo, type ProviderMessageId } from '../../ids';
import { instantOf } from '../../ports/clock';
import type { ConversationAccess } from '../../ports/provider/access';
import type { ReportNewest } from '../../ports/provider/conversation-verbs';
import type { SessionTransaction } from '../../ports/session-transaction';
import { beginTakeover, transitionHandoff } from '../handoff/transition';
import { UNTOUCHED_VIEW } from '../provider-context';
import { endedStatusWrites } from '../status-writes';
import type { StoreDeps } from '../deps';
import { isReturnPendingFor, noteReturnBegun } from '../handoff/last-ending';
import { beginStatusWrite, type DeliveryContext } from './delivery-context';

type ReturnWork = Extract<ProviderDelivery['work'], { kind: 'RETURN_CONVERSATION' }>;

/** Returns the conversation at the provider, and records where it ends for the ended handoff. Repeatable. */
export async function returnConversation(context: DeliveryContext, returning: ReturnWork): Promise<void> {
  const { deps, conversation, liveHandoff: live } = context;
  const { how, handoffId } = returning;
  // An agent has taken the conversation in the meantime, and a later delivery opens it for them; or this delivery was
  // resent after a later handoff had been opened.
  if (
    live !== null &&
    live.id !== handoffId &&
    isOpen(live.state) &&
    (live.origin === 'AGENT_TAKEOVER' || live.openedForAgents === 'YES')
  )
    return;
  const through = conversation === null ? null : await writeReturn(context, conversation, returning);
  await context.transact(async tx => {
    // Resolving keeps the current agent and team, so the next sync's view is residue, not news.
    const lastView = how === 'RETURN_TO_BOT' ? UNTOUCHED_VIEW : null;
    await tx.updateSession({
      statusWrites: endedStatusWrites(tx.session.statusWrites),
      ...(conversation === null ? {} : { lastView }),
    });
    if (isReturnPendingFor(tx.session, handoffId)) await recordReturn(tx, deps, through);
    if (conversation !== null) await tx.requestSync(instantOf(deps.clock.now()));
  });
}

/**
 * Writes the status. Returns the newest message of that moment if the ended handoff still needs it, because agents'
 * messages after it are new. An earlier attempt may have returned the conversation without recording it, and the state
 * does not show that, because an agent who has written since may have opened it again. In that case the newest message
 * from before the first attempt counts.
 */
async function writeReturn(
  context: DeliveryContext,
  conversation: ConversationAccess,
  { how, handoffId }: ReturnWork,
): Promise<ProviderMessageId | null> {
  const { provider, session } = context;
  const write = (report?: ReportNewest): Promise<void> =>
    how === 'RESOLVE' ? provider.resolve(conversation, report) : provider.returnToBot(conversation, report);
  if (!isReturnPendingFor(session, handoffId)) {
    await beginStatusWrite(context);
    await write();
    return null;
  }
  const earlier = session.lastEnding?.returnBegun ?? null;
  const before = earlier === null ? await findNewestMessage(context, conversation) : earlier.throughMessageId;
  await beginStatusWrite(context, tx => noteReturnBegun(tx, handoffId, before));
  const reported: (ProviderMessageId | null)[] = [];
  try {
    await write(newest => {
      reported.push(newest);
    });
  } catch (error) {
    // The status has changed before a later step failed, so the end of the conversation is known more precisely than
    // before the write.
    if (earlier === null && reported[0] !== undefined)
      await context.transact(tx => noteReturnBegun(tx, handoffId, reported[0]!));
    throw error;
  }
  if (earlier !== null) return before;
  return reported[0] === undefined ? findNewestMessage(context, conversation) : reported[0];
}

async function findNewestMessage(
  { provider, session }: DeliveryContext,
  conversation: ConversationAccess,
): Promise<ProviderMessageId | null> {
  let newest = session.syncCursor;
  for (let after = session.syncCursor, more = true; more; ) {
    const page = await provider.listMessages({ conversation, after });
    newest = page.observations.at(-1)?.id ?? newest;
    ({ after, hasMore: more } = page);
  }
  return newest;
}

/**
 * Records the return. A sync may already have found an agent's message after it. Then that agent has the session now:
 * in the handoff that was requested meanwhile, or by a takeover.
 */
async function recordReturn(
  tx: SessionTransaction,
  deps: StoreDeps,
  throughMessageId: ProviderMessageId | null,
): Promise<void> {
  const ending = tx.session.lastEnding!;
  await tx.updateSession({
    lastEnding: { ...ending, returnedAt: instantOf(deps.clock.now()), throughMessageId, returnBegun: null },
  });
  const { lastAgentMessage } = ending;
  if (lastAgentMessage === null || isUpTo(lastAgentMessage.id, throughMessageId)) return;
  if (tx.liveHandoff?.id === ending.handoffId) await transitionHandoff(tx, deps, tx.liveHandoff, 'DRAINED');
  const live = tx.liveHandoff;
  if (live !== null) {
    if (canMove(live.state, 'AGENT_REPLIED'))
      await transitionHandoff(tx, deps, live, 'AGENT_REPLIED', { agent: live.agent ?? lastAgentMessage.agent });
  } else if (tx.session.closedAt === null && tx.inbox.state !== 'DISABLED')
    await beginTakeover(tx, deps, 'ACTIVE', lastAgentMessage.agent);
}
