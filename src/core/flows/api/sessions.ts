import type { HandoffRecord } from '../../handoff';
import type { ChatbotId, SessionId } from '../../ids';
import type { BlockedLane } from '../../ports/dead-letter-store';
import type { PendingDeliveries } from '../../ports/delivery-store';
import type { EndUser, SessionRecord } from '../../session';
import type { Scope, WithIdempotencyKey } from './scope';

export interface OpenSessionInput {
  readonly chatbotId: ChatbotId;
  /** 1 to 100 characters, e.g. `web`. */
  readonly channel: string;
  /** The runtime's own id of the session, 1 to 200 characters. */
  readonly externalId: string;
  readonly endUser: Partial<EndUser>;
}

export interface OpenSessionResult {
  readonly session: SessionRecord;
  readonly created: boolean;
}

export interface CloseSessionInput extends WithIdempotencyKey {
  readonly sessionId: SessionId;
}

export interface CloseSessionResult {
  readonly session: SessionRecord;
  readonly alreadyClosed: boolean;
  readonly replayed: boolean;
}

export interface Explanation {
  readonly session: SessionRecord;
  readonly handoff: HandoffRecord | null;
  readonly mayReply: boolean;
  /** A stable code: why the bot may reply or must stay silent. */
  readonly reason:
    | 'BOT_HAS_CONTROL'
    | 'WAITING_FOR_AGENT'
    | 'WAITING_BOT_MAY_ANSWER'
    | 'AGENT_HAS_CONTROL'
    | 'HANDOFF_ENDING'
    | 'SESSION_CLOSED';
  readonly pendingDeliveries: PendingDeliveries;
  /** Lanes that wait behind a dead letter until an operator decides. */
  readonly blockedLanes: readonly BlockedLane[];
}

/** Opens, closes and explains sessions. */
export interface SessionFlows {
  openSession(scope: Scope, input: OpenSessionInput): Promise<OpenSessionResult>;
  closeSession(scope: Scope, input: CloseSessionInput): Promise<CloseSessionResult>;
  explain(scope: Scope, sessionId: SessionId): Promise<Explanation>;
}
