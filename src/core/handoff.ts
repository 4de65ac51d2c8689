import type { AgentId, HandoffId, Instant, OrganizationId, SessionId, TeamId } from './ids';

/** The states of a handoff. The last three are final. */
export const HANDOFF_STATES = [
  'REQUESTED',
  'QUEUED',
  'ASSIGNED',
  'ACTIVE',
  'ON_HOLD',
  'ENDING',
  'ENDED',
  'REJECTED',
  'FAILED',
] as const;

export type HandoffState = (typeof HANDOFF_STATES)[number];

export const HANDOFF_END_REASONS = [
  'AGENT_RESOLVED',
  'AGENT_RETURNED',
  'USER_ENDED',
  'USER_INACTIVE',
  'AGENT_INACTIVE',
  'QUEUE_TIMEOUT',
  'BOT_CANCELLED',
  'OPERATOR_ENDED',
  'SESSION_CLOSED',
  'PROVIDER_LOST',
] as const;

export type HandoffEndReason = (typeof HANDOFF_END_REASONS)[number];

export type HandoffOrigin = 'REQUESTED' | 'AGENT_TAKEOVER';

export type HandoffPriority = 'LOW' | 'MEDIUM' | 'HIGH' | 'URGENT';

export const FINAL_STATES: readonly HandoffState[] = ['ENDED', 'REJECTED', 'FAILED'];

export const isLive = (state: HandoffState): boolean => !FINAL_STATES.includes(state);

/** Returns whether a handoff is live and not ENDING, so that an agent's message or an end cause still counts. */
export const isOpen = (state: HandoffState): boolean => isLive(state) && state !== 'ENDING';

/** The wanted receiver of the handoff. Both null: the inbox's own queue. */
export interface HandoffTarget {
  readonly teamId: TeamId | null;
  readonly agentId: AgentId | null;
}

/** The agent of a handoff, as reported to the runtime. `id` is null for an agent that is not in our list yet. */
export interface HandoffAgent {
  readonly id: AgentId | null;
  readonly externalId: string;
  readonly name: string;
}

/** The provider's satisfaction survey and the end-user's answer. */
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
  /** Opaque to this service. The runtime gets it back with the outcome, to know where to continue. */
  readonly resumeTarget: string | null;
  /** Messages with `seq` up to here are forwarded as history. */
  readonly historyThroughSeq: number;
  /**
   * Whether the conversation was opened to agents for this handoff. MAYBE: from before the call that opens it until its
   * result is recorded. Until YES, the provider's status says nothing about this handoff.
   */
  readonly openedForAgents: OpenedForAgents;
  /** How many conversations of this handoff were lost after they had been opened to agents. */
  readonly timesLost: number;
  /**
   * How many openings have begun since the handoff was last opened to agents. Increases with each conversation that was
   * lost before it was opened.
   */
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
  /** Set after the end, when the provider offers the end-user a survey. */
  readonly survey: HandoffSurvey | null;
  /** While ENDING: when to stop waiting for the runtime's acknowledgments. */
  readonly drainBy: Instant | null;
  /**
   * While ENDING: when to stop waiting for a sync that shows the agents' messages from before the end. Null: none is
   * awaited.
   */
  readonly syncBy: Instant | null;
}
