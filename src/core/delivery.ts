import type { FileRefusal } from './file-errors';
import type { ChannelState, ReactionSide } from './message';
import type {
  ChatbotId,
  HandoffId,
  Instant,
  MessageId,
  OrganizationId,
  ProviderConversationId,
  ProviderMessageId,
  SessionId,
} from './ids';

/** The work for the provider. Each session has one lane, processed strictly in order. */
export type ProviderWork =
  | PostMessage
  | OpeningStep
  /** An agent took a bot-held conversation: it must leave the bot's queue. */
  | { readonly kind: 'OPEN_TAKEOVER'; readonly handoffId: HandoffId }
  /** Gives the conversation back: `RESOLVE` if the session ends, `RETURN_TO_BOT` if the bot continues. */
  | {
      readonly kind: 'RETURN_CONVERSATION';
      readonly handoffId: HandoffId | null;
      readonly how: 'RESOLVE' | 'RETURN_TO_BOT';
    }
  /** Notifies agents that nobody reads a conversation that they began themselves. */
  | { readonly kind: 'POST_AGENT_INITIATED_NOTE'; readonly conversationId: ProviderConversationId }
  /** Updates the contact with what was learned about the end-user. Uses the values at the time of delivery. */
  | { readonly kind: 'UPDATE_CONTACT' }
  | ProviderChange
  | ProviderMark;

/**
 * Work that must not delay the work after it. If it is refused or its outcome is unknown, it becomes a dead letter and
 * the lane continues, whatever the policy says.
 */
interface Optional {
  readonly optional?: true;
}

/**
 * History that is posted for a handoff. If it is parked because the provider was unavailable, the handoff fails.
 * `onlyForHandoff`: it is skipped if the handoff ends before agents could see it and nobody has sent a message in it.
 */
interface History {
  readonly handoffId?: HandoffId;
  readonly onlyForHandoff?: true;
}

/** Posts a message in its version at the time of delivery. */
export type PostMessage = { readonly kind: 'POST_MESSAGE'; readonly messageId: MessageId } & Optional & History;

/**
 * One step of opening a handoff. The lane contains them in this order; the messages of its history come after the
 * transcript.
 */
export type OpeningStep =
  /** Clears what an earlier handoff left on the conversation, so that posting history notifies nobody. */
  | { readonly kind: 'RETURN_TO_BOT'; readonly handoffId: HandoffId }
  /**
   * Posts the beginning of a long history as one file: all unposted messages up to `throughSeq`. `followedBy`: how many
   * messages are posted after it.
   */
  | {
      readonly kind: 'POST_TRANSCRIPT';
      readonly handoffId: HandoffId;
      readonly throughSeq: number;
      readonly followedBy: number;
      readonly optional: true;
      readonly onlyForHandoff?: true;
    }
  /** Posts the note that tells agents about the handoff. */
  | { readonly kind: 'POST_CONTEXT_NOTE'; readonly handoffId: HandoffId; readonly optional: true }
  /** Opens the conversation to agents, with target and priority. */
  | { readonly kind: 'OPEN_HANDOFF'; readonly handoffId: HandoffId };

/** A change of a message that agents may have seen. `postId`: our id of the post that reports it, if one does. */
export type ProviderChange =
  | { readonly kind: 'FORWARD_EDIT'; readonly postId: string; readonly messageId: MessageId; readonly version: number }
  | {
      readonly kind: 'FORWARD_REACTION';
      readonly postId: string;
      readonly messageId: MessageId;
      readonly by: ReactionSide;
      readonly emoji: string | null;
      readonly optional?: true;
    }
  | { readonly kind: 'DELETE'; readonly postId: string; readonly messageId: MessageId }
  /** A file of a message that was posted without it, because it was not archived yet or there was no room. */
  | { readonly kind: 'POST_FILE'; readonly postId: string; readonly messageId: MessageId; readonly index: number };

/** Small updates for agents. Each is one call, and none delays the messages for long. */
export type ProviderMark =
  /** Notifies agents, and only them, that something did not reach the end-user. */
  | {
      readonly kind: 'POST_NOTE';
      readonly noteId: string;
      readonly text: string;
      /** The message that the note is about, and follows. Earlier versions omitted it. */
      readonly about?: ProviderMessageId;
    }
  | {
      readonly kind: 'REPORT_DELIVERY';
      readonly messageId: MessageId;
      readonly state: ChannelState;
      readonly error: string | null;
    }
  /** `messageIds`: the newest of the agents' messages that were read. */
  | { readonly kind: 'MARK_READ'; readonly throughSeq: number; readonly messageIds: readonly MessageId[] }
  | { readonly kind: 'ANSWER_SURVEY'; readonly handoffId: HandoffId };

/** Work that is about other work or about the contact. Messages never wait for it. */
const DECORATIONS: readonly string[] = [
  'POST_NOTE',
  'REPORT_DELIVERY',
  'MARK_READ',
  'ANSWER_SURVEY',
  'POST_AGENT_INITIATED_NOTE',
  'UPDATE_CONTACT',
] satisfies readonly ProviderWork['kind'][];

/** Returns whether the lane continues after this work becomes a dead letter, even if the policy is BLOCK. */
export const neverBlocks = (work: LaneWork[LaneDestination]): boolean =>
  ('optional' in work && work.optional === true) || DECORATIONS.includes(work.kind);

/** A notice that the bot runtime must collect and acknowledge. Notices of a session are in order. */
export type RuntimeNotice =
  | { readonly kind: 'MESSAGE'; readonly messageId: MessageId }
  | { readonly kind: 'MESSAGE_DELETED'; readonly messageId: MessageId }
  /** A file of an end-user or a bot does not reach the agents. `code`: a FileRefusal. */
  | {
      readonly kind: 'FILE_NOT_DELIVERED';
      readonly messageId: MessageId;
      readonly index: number;
      readonly code: FileRefusal;
    }
  /** A message of the end-user or the bot became a dead letter on its way to the agents. */
  | {
      readonly kind: 'MESSAGE_UNDELIVERED';
      readonly messageId: MessageId;
      readonly code: string;
      readonly outcome: DeliveryOutcome;
    }
  /** An undelivered message has reached the agents after all. */
  | { readonly kind: 'MESSAGE_DELIVERED'; readonly messageId: MessageId }
  | { readonly kind: 'SURVEY'; readonly handoffId: HandoffId }
  | { readonly kind: 'HANDOFF_STATE'; readonly handoffId: HandoffId; readonly state: string }
  | { readonly kind: 'HANDOFF_OUTCOME'; readonly handoffId: HandoffId };

/**
 * `PARKED`: a dead letter that waits for an operator. `DISCARDED`: a dead letter that an operator ended for good, or a
 * delivery that ended because support was disabled; it stays stored.
 */
export type DeliveryState = 'WAITING' | 'DONE' | 'PARKED' | 'DISCARDED';

/** The kinds of work by their destination. Each destination has its own lanes. */
export interface LaneWork {
  readonly PROVIDER: ProviderWork;
  /** Only for runtimes with an endpoint. Without one, deliveries wait in no lane to be collected. */
  readonly RUNTIME: RuntimeNotice;
  readonly MEDIA: MediaWork;
}

/**
 * The work on files, in the order of their messages within a session. The removal of a file therefore follows its
 * archiving.
 */
export type MediaWork =
  | {
      readonly kind: 'ARCHIVE_FILE';
      readonly messageId: MessageId;
      /** The position among the message's attachments, from 0. */
      readonly index: number;
    }
  /**
   * The agents got the message without this file, so it is posted as soon as it is archived. Follows its ARCHIVE_FILE.
   */
  | { readonly kind: 'FETCH_FILE_TO_POST'; readonly messageId: MessageId; readonly index: number }
  | { readonly kind: 'DELETE_FILES'; readonly messageId: MessageId };

export type LaneDestination = keyof LaneWork;

/**
 * The outcome of a dead letter. `UNKNOWN`: an attempt may have reached the receiver, and nothing since has shown
 * whether it did.
 */
export type DeliveryOutcome = 'NOT_DELIVERED' | 'UNKNOWN';

/** The outcome of a failed attempt; null: it adds nothing to what is known. */
export type AttemptOutcome = DeliveryOutcome | null;

/** One pending delivery as a worker claims it. */
export interface LaneDelivery<To extends LaneDestination> {
  readonly id: string;
  readonly organizationId: OrganizationId;
  readonly sessionId: SessionId;
  /** Proves the claim; see `LaneHead.assertFence`. */
  readonly fence: string;
  readonly work: LaneWork[To];
  /** The session's conversation when this was enqueued. Null: there was none, or this does not go to a provider. */
  readonly conversationId: ProviderConversationId | null;
  /** A message of that conversation that is surely older than any attempt. Null: the lookup starts at the beginning. */
  readonly lookupAfter: ProviderMessageId | null;
  /**
   * How often it was claimed before. Above 0, an earlier write may have reached the remote. At least 1 for a
   * resent delivery, unless it was resent with `skipLookup`.
   */
  readonly previousAttempts: number;
  /**
   * The error of the last attempt; null before the first failure. `OUTCOME_UNKNOWN`: it was resent with an unknown
   * outcome, and no lookup has resolved it since.
   */
  readonly lastErrorCode: string | null;
  /** The first failed attempt since it became the head of its lane or was last resent by an operator. Null: none. */
  readonly failingSince: Instant | null;
  readonly createdAt: Instant;
}

export type ProviderDelivery = LaneDelivery<'PROVIDER'>;
export type PushedDelivery = LaneDelivery<'RUNTIME'>;
export type MediaDelivery = LaneDelivery<'MEDIA'>;

/** One delivery as the runtime collects it. */
export interface RuntimeDelivery {
  readonly id: string;
  readonly organizationId: OrganizationId;
  readonly chatbotId: ChatbotId;
  readonly sessionId: SessionId;
  readonly notice: RuntimeNotice;
  /** See EventRecord.position. */
  readonly position: string;
  /** The position in the list that it was read from. Used for `after`, and to acknowledge everything up to it. */
  readonly cursor: string;
  readonly createdAt: Instant;
  readonly acknowledgedAt: Instant | null;
}

/** A delivery that was parked or discarded: its subject, the cause, and its current state. */
export interface DeadLetter {
  readonly id: string;
  readonly organizationId: OrganizationId;
  readonly chatbotId: ChatbotId;
  readonly sessionId: SessionId;
  /** `PROVIDER`, or another destination. */
  readonly destination: string;
  readonly kind: string;
  readonly state: Extract<DeliveryState, 'PARKED' | 'DISCARDED'>;
  /** The code of the last error. It is stable and contains no message text. */
  readonly code: string;
  readonly attempts: number;
  readonly outcome: DeliveryOutcome;
  /** The message or handoff that it was about, if there is exactly one. */
  readonly messageId: MessageId | null;
  readonly handoffId: HandoffId | null;
  readonly createdAt: Instant;
  readonly parkedAt: Instant;
  /** True: the rest of its lane waits until an operator decides. */
  readonly isBlockingLane: boolean;
  readonly discarded: { readonly at: Instant; readonly reason: string } | null;
}
