import type { ChannelState } from './message';
import type { ChatbotId, HandoffId, Instant, MessageId, OrganizationId, ProviderMessageId, SessionId } from './ids';

/** What we owe to the provider. One lane per Session, strictly in order. */
export type ProviderWork =
  | { readonly kind: 'POST_MESSAGE'; readonly messageId: MessageId }
  | { readonly kind: 'OPEN_HANDOFF'; readonly handoffId: HandoffId }
  /** An agent took a bot-held conversation: it must leave the bot's queue. */
  | { readonly kind: 'OPEN_TAKEN_OVER'; readonly handoffId: HandoffId }
  /** Gives the conversation back: `RESOLVE` when the talk is over, `HOLD` when the bot goes on. */
  | { readonly kind: 'RETURN_CONVERSATION'; readonly handoffId: HandoffId | null; readonly how: 'RESOLVE' | 'HOLD' }
  | ProviderMark;

/** Small things that agents should see: each is one call, and none holds up the talk for long. */
export type ProviderMark =
  /** Tells an agent, among agents only, that something did not reach the end-user. */
  | { readonly kind: 'POST_NOTE'; readonly noteId: string; readonly text: string; /** What it is about, and hence comes after. Left out by earlier versions. */ readonly about?: ProviderMessageId }
  | { readonly kind: 'REPORT_DELIVERY'; readonly messageId: MessageId; readonly state: ChannelState; readonly error: string | null }
  | { readonly kind: 'ANSWER_SURVEY'; readonly handoffId: HandoffId };

/** What the bot runtime must collect and acknowledge, in order within a Session. */
export type RuntimeNotice =
  | { readonly kind: 'MESSAGE'; readonly messageId: MessageId }
  | { readonly kind: 'MESSAGE_DELETED'; readonly messageId: MessageId }
  | { readonly kind: 'SURVEY'; readonly handoffId: HandoffId }
  | { readonly kind: 'HANDOFF_STATE'; readonly handoffId: HandoffId; readonly state: string }
  | { readonly kind: 'HANDOFF_OUTCOME'; readonly handoffId: HandoffId };

/** `PARKED`: a dead letter, kept until an operator decides. */
export type DeliveryState = 'WAITING' | 'DONE' | 'PARKED';

/** What waits in lanes of its own, by where it goes. */
export interface LaneWork { readonly PROVIDER: ProviderWork }
export type LaneDestination = keyof LaneWork;

/** One thing still owed, as the worker claims it. */
export interface LaneDelivery<To extends LaneDestination> {
  readonly id: string;
  readonly organizationId: OrganizationId;
  readonly sessionId: SessionId;
  /** Proves the claim: see SessionTransaction.holdLane. */
  readonly fence: string;
  readonly work: LaneWork[To];
  /** How often it was claimed before this time. Above 0, an earlier write may have reached the far side. */
  readonly earlierAttempts: number;
  readonly createdAt: Instant;
}

export type ProviderDelivery = LaneDelivery<'PROVIDER'>;

/** One thing for the runtime, as it collects it. */
export interface RuntimeDelivery {
  readonly id: string;
  readonly organizationId: OrganizationId;
  readonly chatbotId: ChatbotId;
  readonly sessionId: SessionId;
  readonly notice: RuntimeNotice;
  /** See EventRecord.position. */
  readonly position: string;
  readonly createdAt: Instant;
  readonly acknowledgedAt: Instant | null;
}
