import type { Control } from './control';
import type { DeliveryOutcome } from './delivery';
import type { HandoffEndReason, HandoffState } from './handoff';
import type { ChatbotId, EndpointId, HandoffId, Instant, MessageId, OrganizationId, SessionId, UserId } from './ids';

/** One fact of a session's history. The field sets are closed, so a consumer can switch over `type`. */
export type EventBody =
  | { readonly type: 'SESSION_OPENED' }
  | { readonly type: 'SESSION_CLOSED' }
  | {
      readonly type: 'MESSAGE_RECORDED';
      readonly messageId: MessageId;
      readonly author: string;
      readonly visibility: string;
    }
  | { readonly type: 'CONTROL_CHANGED'; readonly control: Control; readonly epoch: number; readonly cause: string }
  | {
      readonly type: 'HANDOFF_CHANGED';
      readonly from: HandoffState | null;
      readonly to: HandoffState;
      readonly cause: string;
      readonly endReason: HandoffEndReason | null;
      readonly agentName: string | null;
    }
  | { readonly type: 'MESSAGE_DELETED'; readonly messageId: MessageId }
  | { readonly type: 'MESSAGE_EDITED'; readonly messageId: MessageId }
  | {
      readonly type: 'MESSAGE_REACTED';
      readonly messageId: MessageId;
      readonly by: string;
      /** Null: removed. */
      readonly emoji: string | null;
    }
  | { readonly type: 'MESSAGE_STATE_CHANGED'; readonly messageId: MessageId; readonly state: string }
  /** The end-user has read all messages up to this one. */
  | { readonly type: 'MESSAGES_READ'; readonly throughSeq: number }
  /** Agents have read everything that was said up to this time. */
  | { readonly type: 'AGENTS_READ'; readonly readAt: Instant }
  | { readonly type: 'SURVEY_OFFERED' }
  | { readonly type: 'SURVEY_ANSWERED'; readonly rating: number }
  | {
      readonly type: 'DELIVERY_PARKED';
      /** Omitted in events of earlier versions. */
      readonly deliveryId?: string;
      readonly kind: string;
      readonly code: string;
      /** Omitted in events of earlier versions. */
      readonly outcome?: DeliveryOutcome;
    }
  | {
      readonly type: 'DELIVERY_RESENT';
      readonly deliveryId: string;
      readonly kind: string;
      readonly by: UserId | null;
      /** True: the operator has checked that it is missing. If omitted: the next attempt looks it up. */
      readonly skipLookup?: true;
    }
  | {
      readonly type: 'DELIVERY_DISCARDED';
      readonly deliveryId: string;
      readonly kind: string;
      readonly reason: string;
      readonly by: UserId | null;
    }
  /** This session's failed push disabled its runtime's endpoint. Nothing is pushed there until it is enabled again. */
  | {
      readonly type: 'RUNTIME_ENDPOINT_DISABLED';
      readonly endpointId: EndpointId;
      readonly reason: string;
      readonly code: string;
    };
export type EventType = EventBody['type'];

/** One row of `event`. */
export interface EventRecord {
  readonly sessionId: SessionId;
  /** 1, 2, 3… without gaps within the session. */
  readonly seq: number;
  readonly organizationId: OrganizationId;
  readonly chatbotId: ChatbotId;
  readonly handoffId: HandoffId | null;
  readonly body: EventBody;
  readonly at: Instant;
  /**
   * The order over all sessions: a transaction number that never decreases within one session. A reader of many
   * sessions stops before the oldest running transaction, so that no event becomes visible at a position it
   * has already passed.
   */
  readonly position: string;
}
