import { canMove, nextState, type HandoffCause } from '../../handoff-transitions';
import { isOpen, type HandoffAgent, type HandoffEndReason, type HandoffRecord } from '../../handoff';
import type { HandoffId, Instant } from '../../ids';
import type { ConversationView } from '../../conversation-view';
import type { SessionTransaction, DeliveryQueue } from '../../ports/session-transaction';
import type { StoreDeps } from '../deps';
import { isReturnInProgress } from '../handoff/last-ending';
import { beginTakeover, transitionHandoff, endLiveHandoff } from '../handoff/transition';
import { trustedLastView } from '../handoff/while-disabled';
import type { AgentsByExternalId } from './receive-observation';

/** What a view is compared with: the session under its lock. `now`: milliseconds since 1970. */
export interface ViewState extends Pick<SessionTransaction, 'session' | 'inbox' | 'liveHandoff'> {
  readonly now: number;
}

interface Takeover {
  readonly state: 'ASSIGNED' | 'QUEUED';
  readonly agent: HandoffAgent | null;
}

/** One consequence of a view. They are applied in their order. */
export type ViewEffect =
  | ({ readonly kind: 'BEGIN_TAKEOVER' } & Takeover)
  /**
   * An end-user's message since `openedAfter` opened the conversation, so the bot keeps it; otherwise it is a takeover.
   */
  | ({ readonly kind: 'RETURN_OR_TAKE_OVER'; readonly openedAfter: Instant } & Takeover)
  | { readonly kind: 'MOVE'; readonly cause: HandoffCause; readonly agent?: HandoffAgent }
  | { readonly kind: 'END'; readonly reason: HandoffEndReason }
  | { readonly kind: 'RETURN_TO_BOT'; readonly handoffId: HandoffId | null }
  | { readonly kind: 'STORE_VIEW' };

/**
 * Decides what a conversation's state means for the session. It is compared with the last view, so that residue does
 * not count as a change.
 */
export function decideView(
  { session, inbox, liveHandoff: live, now }: ViewState,
  view: ConversationView,
  agents: AgentsByExternalId,
): readonly ViewEffect[] {
  const before = trustedLastView(inbox, session);
  const agent = view.agent === null ? null : (agents.get(view.agent.externalId) ?? { id: null, ...view.agent });
  if (live === null) {
    // Our own return is still running, or support is disabled: the state is what the last handoff left.
    if (inbox.state === 'DISABLED' || isReturnInProgress(session, now)) return [];
    return [...(session.closedAt === null ? decideTakeover(view, before, agent, session) : []), { kind: 'STORE_VIEW' }];
  }
  if (!isOpen(live.state)) return [];
  // Until it is opened, the conversation is still as the bot, or an earlier handoff, left it.
  return [...(live.openedForAgents === 'YES' ? decideMoves(live, view, before, agent) : []), { kind: 'STORE_VIEW' }];
}

/**
 * Decides about a view without a live handoff. The conversation may differ from how the bot or the last agents left it.
 */
function decideTakeover(
  view: ConversationView,
  before: ConversationView | null,
  agent: HandoffAgent | null,
  { stateReadAt }: ViewState['session'],
): readonly ViewEffect[] {
  // Without an earlier view, a new assignment looks like residue. This view is the reference for later ones.
  const isNewAgent = agent !== null && before !== null && agent.externalId !== before.agent?.externalId;
  if (isNewAgent && (view.status === 'BOT_HELD' || view.status === 'OPEN'))
    return [{ kind: 'BEGIN_TAKEOVER', state: 'ASSIGNED', agent }];
  if (view.status !== 'OPEN' || before === null || before.status === 'OPEN') return [];
  const takeover: Takeover = { state: agent === null ? 'QUEUED' : 'ASSIGNED', agent };
  // An end-user's message may open a resolved or snoozed conversation; the bot answers it. Anyone else who opens it
  // takes it, for themselves or for the queue.
  return before.status !== 'BOT_HELD' && stateReadAt !== null
    ? [{ kind: 'RETURN_OR_TAKE_OVER', openedAfter: stateReadAt, ...takeover }]
    : [{ kind: 'BEGIN_TAKEOVER', ...takeover }];
}

/** Decides about a view of a live handoff that agents can see. */
function decideMoves(
  live: HandoffRecord,
  view: ConversationView,
  before: ConversationView | null,
  agent: HandoffAgent | null,
): readonly ViewEffect[] {
  const move = (cause: HandoffCause, given?: HandoffAgent | null, state = live.state): readonly ViewEffect[] =>
    canMove(state, cause) ? [{ kind: 'MOVE', cause, ...(given && { agent: given }) }] : [];
  switch (view.status) {
    case 'RESOLVED':
      return [...(agent === null ? [] : move('ASSIGNED', agent)), { kind: 'END', reason: 'AGENT_RESOLVED' }];
    case 'BOT_HELD':
      return [
        { kind: 'END', reason: 'AGENT_RETURNED' },
        ...(view.hasResidue ? [{ kind: 'RETURN_TO_BOT', handoffId: live.id } as const] : []),
      ];
    case 'ON_HOLD':
      return move('SNOOZED', agent);
    case 'OPEN': {
      const isOnHold = live.state === 'ON_HOLD';
      // It was put on hold while in the queue, and is in the queue again.
      if (isOnHold && agent === null && live.agent === null) return move('UNASSIGNED');
      const awake = isOnHold ? nextState('ON_HOLD', 'UNSNOOZED') : live.state;
      const woken = isOnHold ? move('UNSNOOZED') : [];
      const isOtherTeam = view.teamId !== before?.teamId;
      if (agent !== null) return [...woken, ...move('ASSIGNED', agent, awake)];
      // A reply does not assign an agent, so an agent who was never assigned cannot become unassigned.
      if (before?.agent) return [...woken, ...move(isOtherTeam ? 'TEAM_CHANGED' : 'UNASSIGNED', null, awake)];
      // It was passed to another team, not only removed from one that may have been deleted.
      if (before !== null && view.teamId !== null && isOtherTeam && live.agent !== null)
        return [...woken, ...move('TEAM_CHANGED', null, awake)];
      return woken;
    }
  }
}

/** Applies a view that is believed to the session. Called once at the end of a sync, in its last transaction. */
export async function receiveView(
  tx: SessionTransaction,
  deps: StoreDeps,
  view: ConversationView,
  agents: AgentsByExternalId,
): Promise<void> {
  const { session, inbox, liveHandoff } = tx;
  let live = liveHandoff;
  for (const effect of decideView({ session, inbox, liveHandoff, now: deps.clock.now() }, view, agents))
    switch (effect.kind) {
      case 'BEGIN_TAKEOVER':
        await beginTakeover(tx, deps, effect.state, effect.agent);
        break;
      case 'RETURN_OR_TAKE_OVER':
        if (await tx.hasEndUserMessageSince(effect.openedAfter)) await enqueueReturn(tx, null);
        else await beginTakeover(tx, deps, effect.state, effect.agent);
        break;
      case 'MOVE':
        live = await transitionHandoff(tx, deps, live!, effect.cause, effect.agent && { agent: effect.agent });
        break;
      case 'END':
        live = await endLiveHandoff(tx, deps, live!, effect.reason);
        break;
      case 'RETURN_TO_BOT':
        await enqueueReturn(tx, effect.handoffId);
        break;
      case 'STORE_VIEW':
        await tx.updateSession({ lastView: view });
    }
}

const enqueueReturn = (tx: DeliveryQueue, handoffId: HandoffId | null): Promise<void> =>
  tx.enqueueForProvider({ kind: 'RETURN_CONVERSATION', how: 'RETURN_TO_BOT', handoffId });
