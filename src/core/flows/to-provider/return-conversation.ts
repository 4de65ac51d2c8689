import type { ProviderDelivery } from '../../delivery';
import { canMove, isOpen } from '../../handoff';
import { isUpTo, type ProviderMessageId } from '../../ids';
import { instantOf } from '../../ports/clock';
import type { ConversationAccess, ReportNewest } from '../../ports/support-provider';
import type { SessionTransaction } from '../../ports/stores';
import { beginTakeover, moveHandoff } from '../handoff/transition';
import { beginStatusWrite, CLEAN_VIEW, connect, conversationOf, evenAfter, type Connected } from '../provider-context';
import type { FlowDeps } from '../deps';
import { awaitsReturnOf, noteReturnBegun } from '../handoff/last-ending';
import type { Lease } from '../lease';

type Returning = Extract<ProviderDelivery['work'], { kind: 'RETURN_CONVERSATION' }>;

/** Returns the conversation at the provider, and records where it ends for the ended handoff. Repeatable. */
export async function returnConversation(deps: FlowDeps, delivery: ProviderDelivery, returning: Returning, lease: Lease): Promise<void> {
  const { organizationId, sessionId } = delivery;
  const { how, handoffId } = returning;
  const connected = await connect(deps, organizationId, sessionId);
  const { liveHandoffId } = connected.session;
  const live = liveHandoffId === null ? null : await deps.stores.handoffs.get(organizationId, liveHandoffId);
  // Somebody has taken it meanwhile: it is theirs now, and the delivery behind this one opens it for them. Or this one
  // was sent again when a later handoff had been opened already.
  if (live !== null && live.id !== handoffId && isOpen(live.state) && (live.origin === 'AGENT_TAKEOVER' || live.openedForAgents === 'YES')) return;
  const conversation = conversationOf(deps, connected);
  let through: ProviderMessageId | null = null;
  if (conversation !== null) {
    through = await giveBack(deps, connected, conversation, returning, lease);
  }
  await deps.stores.sessions.transact(organizationId, sessionId, async tx => {
    // Resolving keeps the current agent and team, so the next sync's view is residue, not news.
    const lastView = how === 'HOLD' ? CLEAN_VIEW : null;
    await tx.updateSession({ statusWrites: evenAfter(tx.session.statusWrites), ...(conversation === null ? {} : { lastView }) });
    if (awaitsReturnOf(tx.session, handoffId)) await noteReturn(tx, deps, through);
    if (conversation !== null) await tx.wantReading(instantOf(deps.clock.now()));
  });
}

/**
 * Writes the status. Returns the newest message of that moment if the ended handoff still needs it, because agents'
 * messages after it are new. An earlier attempt may have returned the conversation without recording it, and the state
 * does not show that, because an agent who has written since may have opened it again. In that case the newest message
 * from before the first attempt counts.
 */
async function giveBack(
  deps: FlowDeps, connected: Connected, conversation: ConversationAccess, { how, handoffId }: Returning, lease: Lease,
): Promise<ProviderMessageId | null> {
  const { provider, session } = connected;
  const signal = () => lease.signal(deps.limits.callMs);
  const write = async (report?: ReportNewest): Promise<void> => {
    await lease.held();
    await (how === 'RESOLVE' ? provider.resolve(conversation, signal(), report) : provider.holdForBot(conversation, signal(), report));
  };
  if (!awaitsReturnOf(session, handoffId)) {
    await beginStatusWrite(deps, session);
    await write();
    return null;
  }
  const earlier = session.lastEnding?.returnBegun ?? null;
  const before = earlier === null ? await newestMessage(deps, connected, conversation, lease) : earlier.throughMessageId;
  await beginStatusWrite(deps, session, tx => noteReturnBegun(tx, handoffId, before));
  const reported: (ProviderMessageId | null)[] = [];
  try {
    await write(newest => { reported.push(newest); });
  } catch (error) {
    // The status has changed before a later step failed, so the end of the conversation is known more precisely than
    // before the write.
    if (earlier === null && reported[0] !== undefined)
      await deps.stores.sessions.transact(session.organizationId, session.id, tx => noteReturnBegun(tx, handoffId, reported[0]!));
    throw error;
  }
  if (earlier !== null) return before;
  return reported[0] === undefined ? newestMessage(deps, connected, conversation, lease) : reported[0];
}

async function newestMessage(deps: FlowDeps, { provider, session }: Connected, conversation: ConversationAccess, lease: Lease): Promise<ProviderMessageId | null> {
  let newest = session.readAfter;
  for (let after = session.readAfter, more = true; more;) {
    await lease.held();
    const page = await provider.readForward({ conversation, after }, lease.signal(deps.limits.callMs));
    newest = page.observations.at(-1)?.id ?? newest;
    ({ after, more } = page);
  }
  return newest;
}

/**
 * Records the return. A sync may already have found an agent's message after it. Then that agent has the session now:
 * in the handoff that was requested meanwhile, or by a takeover.
 */
async function noteReturn(tx: SessionTransaction, deps: FlowDeps, throughMessageId: ProviderMessageId | null): Promise<void> {
  const ending = tx.session.lastEnding!;
  await tx.updateSession({ lastEnding: { ...ending, returnedAt: instantOf(deps.clock.now()), throughMessageId, returnBegun: null } });
  const { lastWord } = ending;
  if (lastWord === null || isUpTo(lastWord.id, throughMessageId)) return;
  if (tx.liveHandoff?.id === ending.handoffId) await moveHandoff(tx, deps, tx.liveHandoff, 'DRAINED');
  const live = tx.liveHandoff;
  if (live !== null) {
    if (canMove(live.state, 'AGENT_REPLIED')) await moveHandoff(tx, deps, live, 'AGENT_REPLIED', { agent: live.agent ?? lastWord.agent });
  } else if (tx.session.closedAt === null && tx.inbox.state !== 'DISABLED') await beginTakeover(tx, deps, 'ACTIVE', lastWord.agent);
}
