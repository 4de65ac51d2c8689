import type { Instant, ProviderAgentId, ProviderMessageId } from '../../ids';
import type { MessageContent } from '../../content';
import type { Attachment } from '../../message';
import type { ConversationAccess } from './access';

/**
 * The author of an automatic message. `id` is the same for all messages of one rule or bot in an account; null if
 * unknown.
 */
export interface AutomaticSource {
  readonly kind: 'PROVIDER' | 'RULE' | 'BOT' | 'UNKNOWN';
  readonly id: string | null;
}

/** A message or event that a sync can find. The list is closed. */
export type Observation = ObservationBody & {
  /** True: agents see the message marked as failed. This can also be a post of ours or a note. If omitted: no. */
  readonly isMarkedFailed?: boolean;
};

type ObservationBody =
  /** An agent's public message, for the end-user. */
  | {
      readonly kind: 'agentMessage';
      readonly id: ProviderMessageId;
      readonly agent: {
        readonly externalId: ProviderAgentId;
        readonly name: string;
      };
      /** The whole message as plain text. */
      readonly text: string;
      /** The structured content. If omitted: none. */
      readonly content?: MessageContent | null;
      readonly attachments: readonly Attachment[];
      readonly at: Instant;
      readonly replyTo?: ProviderMessageId | null;
      /** Describes content that cannot be shown to an end-user. */
      readonly omittedContent?: string | null;
    }
  /** An agent's public message of which nothing can be shown. */
  | {
      readonly kind: 'unsupported';
      readonly id: ProviderMessageId;
      readonly description: string;
      readonly at?: Instant;
    }
  /** A message was deleted. `id` is the provider's id of that message. */
  | { readonly kind: 'messageDeleted'; readonly id: ProviderMessageId }
  /** The provider's survey for the end-user. */
  | {
      readonly kind: 'survey';
      readonly id: ProviderMessageId;
      readonly question: string;
      readonly url: string | null;
      readonly choices: readonly { readonly rating: number; readonly label: string }[];
      readonly answer: { readonly rating: number; readonly comment: string | null } | null;
      readonly at: Instant;
    }
  /** An agent's note for colleagues. It never leaves this service. */
  | {
      readonly kind: 'note';
      readonly id: ProviderMessageId;
      readonly agent: { readonly externalId: ProviderAgentId; readonly name: string } | null;
      readonly at: Instant;
    }
  /** One of our own posts, recognized by the id that we gave it. */
  | { readonly kind: 'echo'; readonly id: ProviderMessageId; readonly ourId: string }
  /**
   * A public message without a human author: from the provider itself (a greeting, "we are closed"), a rule of the
   * account, or a bot that is not ours. Agents see it as sent. The policy decides whether the end-user gets it, and
   * agents are notified if not. It never takes a session over.
   */
  | {
      readonly kind: 'automaticReply';
      readonly id: ProviderMessageId;
      readonly source: AutomaticSource;
      /** The whole message as plain text. */
      readonly text: string;
      /** The structured content. If omitted: none. */
      readonly content?: MessageContent | null;
      readonly attachments: readonly Attachment[];
      readonly at: Instant;
      /** Describes content that cannot be shown to an end-user. */
      readonly omittedContent?: string | null;
    }
  /**
   * Anything else: activity lines, end-user messages that we did not post, messages that may not be public. These are
   * denied by default.
   */
  | { readonly kind: 'ignored'; readonly id: ProviderMessageId; readonly reason: string };

export interface ListMessages {
  readonly conversation: ConversationAccess;
  /** Return everything after this message. Null: from the start. */
  readonly after: ProviderMessageId | null;
}

export interface ObservationPage {
  /** Ascending, the order in which they must take effect. May repeat observations of an earlier page. */
  readonly observations: readonly Observation[];
  /**
   * Where the next sync starts. The provider keeps it far enough back to find a message that becomes visible late,
   * because ids are taken before commits. Our unique constraint drops repeats.
   */
  readonly after: ProviderMessageId | null;
  /** True: call again at once with `after`. */
  readonly hasMore: boolean;
}
