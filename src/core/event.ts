import type { Control } from './control';
import type { DeliveryOutcome } from './delivery';
import type { HandoffEndReason, HandoffState } from './handoff';
import type { ChatbotId, EndpointId, HandoffId, Instant, MessageId, OrganizationId, SessionId, UserId } from './ids';

/** One fact of a Session's history. Field sets are closed: a consumer can switch over `type`. */
export type EventBody =
  | { readonly type: 'SESSION_OPENED' }
  | { readonly type: 'SESSION_CLOSED' }
  | { readonly type: 'MESSAGE_RECORDED'; readonly messageId: MessageId; readonly author: string; readonly visibility: string }
  | { readonly type: 'CONTROL_CHANGED'; readonly control: Control; readonly epoch: number; readonly cause: string }
  | { readonly type: 'HANDOFF_CHANGED'; readonly from: HandoffState | null; readonly to: HandoffState; readonly cause: string; readonly endReason: HandoffEndReason | null; readonly agentName: string | null }
  | { readonly type: 'MESSAGE_DELETED'; readonly messageId: MessageId }
  | { readonly type: 'MESSAGE_EDITED'; readonly messageId: MessageId }
  | { readonly type: 'MESSAGE_REACTED'; readonly messageId: MessageId; readonly by: string; /** Null: taken back. */ readonly emoji: string | null }
  | { readonly type: 'MESSAGE_STATE_CHANGED'; readonly messageId: MessageId; readonly state: string }
  /** Everything that was said to the end-user up to this message. */
  | { readonly type: 'MESSAGES_READ'; readonly throughSeq: number }
  /** Agents have read what was said up to this moment. */
  | { readonly type: 'AGENTS_READ'; readonly readAt: Instant }
  | { readonly type: 'SURVEY_OFFERED' }
  | { readonly type: 'SURVEY_ANSWERED'; readonly rating: number }
  | { readonly type: 'DELIVERY_PARKED'; /** Left out in events of earlier versions. */ readonly deliveryId?: string; readonly kind: string; readonly code: string; /** Left out in events of earlier versions. */ readonly outcome?: DeliveryOutcome }
  | { readonly type: 'DELIVERY_SENT_AGAIN'; readonly deliveryId: string; readonly kind: string; readonly by: UserId | null; /** The operator has looked, and it is not there. Left out: it is looked for. */ readonly writesAtOnce?: true }
  | { readonly type: 'DELIVERY_DISCARDED'; readonly deliveryId: string; readonly kind: string; readonly reason: string; readonly by: UserId | null }
  /** This Session's push was the last straw: its runtime's endpoint gets nothing more until somebody enables it again. */
  | { readonly type: 'RUNTIME_ENDPOINT_DISABLED'; readonly endpointId: EndpointId; readonly reason: string; readonly code: string };
export type EventType = EventBody['type'];

/** One row of `event`. */
export interface EventRecord {
  readonly sessionId: SessionId;
  /** 1, 2, 3… without gaps within the Session. */
  readonly seq: number;
  readonly organizationId: OrganizationId;
  readonly chatbotId: ChatbotId;
  readonly handoffId: HandoffId | null;
  readonly body: EventBody;
  readonly at: Instant;
  /**
   * Order over all Sessions: a transaction number that never falls within one Session. A reader that runs over many
   * Sessions stops below the oldest transaction still running (DESIGN §7), so that nothing becomes visible behind it.
   */
  readonly position: string;
}
