import type { AgentId, HandoffId, Instant, OrganizationId, SessionId, TeamId } from './ids';
import { HandoffTransitionRefusedError } from './errors';

/** Every state a handoff can be in. The last three are final. */
export const HANDOFF_STATES = [
  'REQUESTED', 'QUEUED', 'ASSIGNED', 'ACTIVE', 'ON_HOLD', 'ENDING', 'ENDED', 'REJECTED', 'FAILED',
] as const;
export type HandoffState = (typeof HANDOFF_STATES)[number];

/** Everything that can move a handoff. */
export const HANDOFF_CAUSES = [
  'PROVIDER_ACCEPTED', 'NOBODY_AVAILABLE', 'PROVIDER_REFUSED',
  'ASSIGNED', 'UNASSIGNED', 'TEAM_CHANGED', 'AGENT_REPLIED', 'SNOOZED', 'UNSNOOZED',
  'CONVERSATION_LOST', 'END', 'DRAINED',
] as const;
export type HandoffCause = (typeof HANDOFF_CAUSES)[number];

export const HANDOFF_END_REASONS = [
  'AGENT_RESOLVED', 'AGENT_RETURNED', 'USER_ENDED', 'USER_INACTIVE', 'AGENT_INACTIVE', 'QUEUE_TIMEOUT',
  'BOT_CANCELLED', 'OPERATOR_ENDED', 'SESSION_CLOSED', 'PROVIDER_LOST',
] as const;
export type HandoffEndReason = (typeof HANDOFF_END_REASONS)[number];

export type HandoffOrigin = 'REQUESTED' | 'AGENT_TAKEOVER';
export type HandoffPriority = 'LOW' | 'MEDIUM' | 'HIGH' | 'URGENT';

export const FINAL_STATES: readonly HandoffState[] = ['ENDED', 'REJECTED', 'FAILED'];
export const isLive = (state: HandoffState): boolean => !FINAL_STATES.includes(state);
/** Live and not yet on its way out: an agent's word or an end cause still counts. */
export const isOpen = (state: HandoffState): boolean => isLive(state) && state !== 'ENDING';

/**
 * The whole machine. A pair that is not here is impossible and refused by name.
 * A pair that maps to its own state is a legal repeat, and changes nothing.
 */
export const HANDOFF_TRANSITIONS: Readonly<Record<HandoffState, Partial<Record<HandoffCause, HandoffState>>>> = {
  REQUESTED: {
    PROVIDER_ACCEPTED: 'QUEUED', NOBODY_AVAILABLE: 'REJECTED', PROVIDER_REFUSED: 'FAILED',
    // An agent who watches bot-held conversations can be quicker than the saga that opens this one.
    ASSIGNED: 'ASSIGNED', AGENT_REPLIED: 'ACTIVE', CONVERSATION_LOST: 'REQUESTED', END: 'ENDING',
  },
  QUEUED: {
    PROVIDER_ACCEPTED: 'QUEUED', ASSIGNED: 'ASSIGNED', UNASSIGNED: 'QUEUED', TEAM_CHANGED: 'QUEUED',
    AGENT_REPLIED: 'ACTIVE', SNOOZED: 'ON_HOLD', CONVERSATION_LOST: 'REQUESTED', END: 'ENDING',
  },
  ASSIGNED: {
    PROVIDER_ACCEPTED: 'ASSIGNED', ASSIGNED: 'ASSIGNED', UNASSIGNED: 'QUEUED', TEAM_CHANGED: 'QUEUED',
    AGENT_REPLIED: 'ACTIVE', SNOOZED: 'ON_HOLD', CONVERSATION_LOST: 'REQUESTED', END: 'ENDING',
  },
  ACTIVE: {
    PROVIDER_ACCEPTED: 'ACTIVE', ASSIGNED: 'ACTIVE', UNASSIGNED: 'QUEUED', TEAM_CHANGED: 'QUEUED',
    AGENT_REPLIED: 'ACTIVE', SNOOZED: 'ON_HOLD', CONVERSATION_LOST: 'REQUESTED', END: 'ENDING',
  },
  ON_HOLD: {
    PROVIDER_ACCEPTED: 'ON_HOLD', ASSIGNED: 'ON_HOLD', UNASSIGNED: 'QUEUED', TEAM_CHANGED: 'QUEUED',
    AGENT_REPLIED: 'ACTIVE', SNOOZED: 'ON_HOLD', UNSNOOZED: 'ACTIVE', CONVERSATION_LOST: 'REQUESTED', END: 'ENDING',
  },
  // Ending twice is a no-op: whoever comes second finds it done.
  ENDING: { END: 'ENDING', DRAINED: 'ENDED', PROVIDER_ACCEPTED: 'ENDING' },
  ENDED: { END: 'ENDED', DRAINED: 'ENDED' },
  REJECTED: { END: 'REJECTED' },
  FAILED: { END: 'FAILED' },
};

/** @throws HandoffTransitionRefusedError naming state and cause, when the machine has no such step */
export function nextState(state: HandoffState, cause: HandoffCause): HandoffState {
  const to = HANDOFF_TRANSITIONS[state][cause];
  if (to === undefined) throw new HandoffTransitionRefusedError(state, cause);
  return to;
}

/** Whether the machine has this step; for observations, which are evidence and may come too late. */
export const canMove = (state: HandoffState, cause: HandoffCause): boolean =>
  HANDOFF_TRANSITIONS[state][cause] !== undefined;

/** Where the caller wants the handoff to go. All absent: the inbox's own queue. */
export interface HandoffTarget {
  readonly teamId: TeamId | null;
  readonly agentId: AgentId | null;
}

/** Who ended up with the end-user, as the runtime is told. `id` is null for a person we have not listed yet. */
export interface HandoffAgent {
  readonly id: AgentId | null;
  readonly externalId: string;
  readonly name: string;
}

/** The provider's question how it was, and the end-user's answer. */
export interface HandoffSurvey {
  readonly externalId: string;
  /** A page where the end-user may answer; null: only through answerSurvey. */
  readonly url: string | null;
  readonly question: string;
  /** Ascending, worst first. */
  readonly choices: readonly { readonly rating: number; readonly label: string }[];
  readonly offeredAt: Instant;
  readonly answer: { readonly rating: number; readonly comment: string | null; readonly at: Instant } | null;
}

/** A page of the platform that agents may want to open. */
export interface HandoffLink {
  readonly label: string;
  /** http or https. */
  readonly url: string;
}

export type OpenedForAgents = 'NO' | 'MAYBE' | 'YES';

/** One row of `handoff`. Dates are RFC 3339 text, so that a record is its own stored answer. */
export interface HandoffRecord {
  readonly id: HandoffId;
  readonly organizationId: OrganizationId;
  readonly sessionId: SessionId;
  readonly state: HandoffState;
  readonly origin: HandoffOrigin;
  readonly reason: string | null;
  readonly summary: string | null;
  readonly intent: string | null;
  /** Structured fields that agents see in the context note; string values only. */
  readonly fields: Readonly<Record<string, string>>;
  /** Agents see them in the context note, in this order. */
  readonly links: readonly HandoffLink[];
  readonly priority: HandoffPriority | null;
  readonly target: HandoffTarget;
  readonly agent: HandoffAgent | null;
  /** Opaque to us: what the bot runtime wants back with the outcome, to know where to go on. */
  readonly resumeTarget: string | null;
  /** Messages with `seq` up to here are the history that is brought along. */
  readonly historyThroughSeq: number;
  /**
   * Whether the conversation was opened to agents for this handoff; MAYBE from before the call that opens it until its result
   * is recorded. Until YES, the provider's status says nothing of this handoff.
   */
  readonly openedForAgents: OpenedForAgents;
  /** How many conversations were lost under it after agents had them. */
  readonly timesLost: number;
  /** How often its opening was begun since agents had it last: one more for each conversation that was lost before agents had it. */
  readonly openings: number;
  readonly endReason: HandoffEndReason | null;
  /** Why it failed or was rejected: a stable error code, never a provider's text. */
  readonly failureCode: string | null;
  readonly requestedAt: Instant;
  readonly queuedAt: Instant | null;
  readonly assignedAt: Instant | null;
  readonly activeAt: Instant | null;
  readonly endingAt: Instant | null;
  readonly endedAt: Instant | null;
  /** Comes after the end, when the provider asks the end-user. */
  readonly survey: HandoffSurvey | null;
  /** While ENDING: when we stop waiting for the runtime to acknowledge. */
  readonly drainBy: Instant | null;
  /** While ENDING: when we stop waiting for a sync that shows what agents said before the end. Null: none is awaited. */
  readonly syncBy: Instant | null;
}
