import { HandoffTransitionRefusedError } from './errors';
import type { HandoffState } from './handoff';

/** The causes that can change a handoff's state. */
export const HANDOFF_CAUSES = [
  'PROVIDER_ACCEPTED',
  'NOBODY_AVAILABLE',
  'PROVIDER_REFUSED',
  'ASSIGNED',
  'UNASSIGNED',
  'TEAM_CHANGED',
  'AGENT_REPLIED',
  'SNOOZED',
  'UNSNOOZED',
  'CONVERSATION_LOST',
  'END',
  'DRAINED',
] as const;

export type HandoffCause = (typeof HANDOFF_CAUSES)[number];

/**
 * The complete state machine. A pair that is missing here is impossible and refused by name. A pair that maps to its
 * own state is a legal repeat and changes nothing.
 */
export const HANDOFF_TRANSITIONS: Readonly<Record<HandoffState, Partial<Record<HandoffCause, HandoffState>>>> = {
  REQUESTED: {
    PROVIDER_ACCEPTED: 'QUEUED',
    NOBODY_AVAILABLE: 'REJECTED',
    PROVIDER_REFUSED: 'FAILED',
    // An agent who watches the bot's conversations can act before this handoff is opened there.
    ASSIGNED: 'ASSIGNED',
    AGENT_REPLIED: 'ACTIVE',
    CONVERSATION_LOST: 'REQUESTED',
    END: 'ENDING',
  },
  QUEUED: {
    PROVIDER_ACCEPTED: 'QUEUED',
    ASSIGNED: 'ASSIGNED',
    UNASSIGNED: 'QUEUED',
    TEAM_CHANGED: 'QUEUED',
    AGENT_REPLIED: 'ACTIVE',
    SNOOZED: 'ON_HOLD',
    CONVERSATION_LOST: 'REQUESTED',
    END: 'ENDING',
  },
  ASSIGNED: {
    PROVIDER_ACCEPTED: 'ASSIGNED',
    ASSIGNED: 'ASSIGNED',
    UNASSIGNED: 'QUEUED',
    TEAM_CHANGED: 'QUEUED',
    AGENT_REPLIED: 'ACTIVE',
    SNOOZED: 'ON_HOLD',
    CONVERSATION_LOST: 'REQUESTED',
    END: 'ENDING',
  },
  ACTIVE: {
    PROVIDER_ACCEPTED: 'ACTIVE',
    ASSIGNED: 'ACTIVE',
    UNASSIGNED: 'QUEUED',
    TEAM_CHANGED: 'QUEUED',
    AGENT_REPLIED: 'ACTIVE',
    SNOOZED: 'ON_HOLD',
    CONVERSATION_LOST: 'REQUESTED',
    END: 'ENDING',
  },
  ON_HOLD: {
    PROVIDER_ACCEPTED: 'ON_HOLD',
    ASSIGNED: 'ON_HOLD',
    UNASSIGNED: 'QUEUED',
    TEAM_CHANGED: 'QUEUED',
    AGENT_REPLIED: 'ACTIVE',
    SNOOZED: 'ON_HOLD',
    UNSNOOZED: 'ACTIVE',
    CONVERSATION_LOST: 'REQUESTED',
    END: 'ENDING',
  },
  // Ending twice is a no-op: the second call changes nothing.
  ENDING: { END: 'ENDING', DRAINED: 'ENDED', PROVIDER_ACCEPTED: 'ENDING' },
  ENDED: { END: 'ENDED', DRAINED: 'ENDED' },
  REJECTED: { END: 'REJECTED' },
  FAILED: { END: 'FAILED' },
};

/**
 * Returns the state that follows.
 * @throws HandoffTransitionRefusedError naming state and cause, if there is no such transition
 */
export function nextState(state: HandoffState, cause: HandoffCause): HandoffState {
  const to = HANDOFF_TRANSITIONS[state][cause];
  if (to === undefined) throw new HandoffTransitionRefusedError(state, cause);
  return to;
}

/** Returns whether there is such a transition. For observations, which are evidence and may come too late. */
export const canMove = (state: HandoffState, cause: HandoffCause): boolean =>
  HANDOFF_TRANSITIONS[state][cause] !== undefined;
