import type { ProviderDelivery } from '../delivery';
import { isOpen } from '../handoff';
import { isUpTo, type ProviderMessageId } from '../ids';
import { instantOf } from '../ports/clock';
import type { ConversationAccess } from '../ports/support-provider';
import type { SessionTransaction } from '../ports/stores';
import { beginTakeover, moveHandoff } from './change-handoff';
import { beginStatusWrite, CLEAN_VIEW, connect, conversationOf, evenAfter, type Connected } from './conversation';
import type { FlowDeps } from './deps';
import { awaitsReturnOf } from './last-ending';
import type { Lease } from './lease';

type Returning = Extract<ProviderDelivery['work'], { kind: 'RETURN_CONVERSATION' }>;

/** Gives the conversation back at the provider, and notes where it ends for the handoff that ended. Repeatable. */
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
    await beginStatusWrite(deps, connected.session);
    await lease.held();
    through = await giveBack(deps, connected, conversation, returning, lease);
  }
  await deps.stores.sessions.transact(organizationId, sessionId, async tx => {
    // Resolving leaves agent and team on it, whoever they are by now: what the next reading shows is residue, not news.
    const lastView = how === 'HOLD' ? CLEAN_VIEW : null;
    await tx.updateSession({ statusWrites: evenAfter(tx.session.statusWrites), ...(conversation === null ? {} : { lastView }) });
    if (awaitsReturnOf(tx.session, handoffId)) await noteReturn(tx, deps, through);
    if (conversation !== null) await tx.wantReading(instantOf(deps.clock.now()));
  });
}

/** Writes the status. Returns the newest message of that moment if the handoff that ended still needs it; what agents say after it is news. */
async function giveBack(
  deps: FlowDeps, connected: Connected, conversation: ConversationAccess, { how, handoffId }: Returning, lease: Lease,
): Promise<ProviderMessageId | null> {
  const { provider, session } = connected;
  const isNeeded = awaitsReturnOf(session, handoffId);
  const reported: (ProviderMessageId | null)[] = [];
  const report = isNeeded ? (newest: ProviderMessageId | null) => { reported.push(newest); } : undefined;
  const signal = lease.signal(deps.limits.callMs);
  await (how === 'RESOLVE' ? provider.resolve(conversation, signal, report) : provider.holdForBot(conversation, signal, report));
  if (!isNeeded) return null;
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

/** A sync may have shown a word after the return before this was known: then its agent takes the conversation over now. */
async function noteReturn(tx: SessionTransaction, deps: FlowDeps, throughMessageId: ProviderMessageId | null): Promise<void> {
  const ending = tx.session.lastEnding!;
  await tx.updateSession({ lastEnding: { ...ending, returnedAt: instantOf(deps.clock.now()), throughMessageId } });
  const { lastWord } = ending;
  if (lastWord === null || isUpTo(lastWord.id, throughMessageId)) return;
  if (tx.liveHandoff?.id === ending.handoffId) await moveHandoff(tx, deps, tx.liveHandoff, 'DRAINED');
  if (tx.liveHandoff === null && tx.session.closedAt === null && tx.inbox.state !== 'DISABLED') await beginTakeover(tx, deps, 'ACTIVE', lastWord.agent);
}
