import type { HandoffEndReason, HandoffLink, HandoffPriority, HandoffRecord } from '../../handoff';
import type { HandoffId, SessionId } from '../../ids';
import type { SessionRecord } from '../../session';
import type { Scope, WithIdempotencyKey } from './scope';

export interface HandoffTargetInput {
  /** Our id, or the provider's own number as in its URL. At most one of `team` and `agent`. */
  readonly team: string | null;
  readonly agent: string | null;
}

export interface RequestHandoffInput extends WithIdempotencyKey {
  readonly sessionId: SessionId;
  readonly target: HandoffTargetInput;
  readonly reason: string | null;
  readonly summary: string | null;
  readonly intent: string | null;
  readonly fields: Readonly<Record<string, string>>;
  /** Pages of the platform; agents see them in the context note. */
  readonly links?: readonly HandoffLink[];
  readonly priority: HandoffPriority | null;
  readonly resumeTarget: string | null;
  /**
   * The request is refused unless this is the current epoch. Null: no check, because a person requested it whatever the
   * bot knows.
   */
  readonly epoch: number | null;
}

export interface RequestHandoffResult {
  readonly handoff: HandoffRecord;
  readonly session: SessionRecord;
  /** True: there was a live handoff already. It is returned, and none was created. */
  readonly alreadyLive: boolean;
  readonly replayed: boolean;
}

export interface EndHandoffInput extends WithIdempotencyKey {
  /** Exactly one of `handoffId` and `sessionId`. By session: its live handoff. */
  readonly handoffId: HandoffId | null;
  readonly sessionId: SessionId | null;
  readonly reason: Extract<HandoffEndReason, 'BOT_CANCELLED' | 'USER_ENDED' | 'OPERATOR_ENDED'>;
}

export interface EndHandoffResult {
  readonly handoff: HandoffRecord;
  readonly session: SessionRecord;
  /** True: it had already ended, and nothing was done. */
  readonly alreadyEnded: boolean;
  readonly replayed: boolean;
}

export interface AnswerSurveyInput extends WithIdempotencyKey {
  readonly handoffId: HandoffId;
  readonly rating: number;
  readonly comment: string | null;
}

export interface AnswerSurveyResult {
  readonly handoff: HandoffRecord;
  readonly replayed: boolean;
}

/** Requests and ends handoffs. */
export interface HandoffFlows {
  requestHandoff(scope: Scope, input: RequestHandoffInput): Promise<RequestHandoffResult>;
  endHandoff(scope: Scope, input: EndHandoffInput): Promise<EndHandoffResult>;
  /** Records the end-user's answer to the survey of a handoff. A second answer replaces the first. */
  answerSurvey(scope: Scope, input: AnswerSurveyInput): Promise<AnswerSurveyResult>;
}
