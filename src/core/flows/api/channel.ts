import type { MessageId, SessionId } from '../../ids';
import type { ChannelState, MessageRecord } from '../../message';
import type { SessionRecord } from '../../session';
import type { Scope, WithIdempotencyKey } from './scope';

export interface ReportChannelDeliveryInput extends WithIdempotencyKey {
  readonly sessionId: SessionId;
  readonly messageId: MessageId;
  readonly state: ChannelState;
  /** With FAILED: the reason, for the agents. */
  readonly error: string | null;
}

export interface ReportChannelDeliveryResult {
  readonly message: MessageRecord;
  readonly replayed: boolean;
}

export interface MarkReadInput extends WithIdempotencyKey {
  readonly sessionId: SessionId;
  /** The end-user has read this message and everything before it. */
  readonly throughMessageId: MessageId;
}

export interface MarkReadResult {
  readonly session: SessionRecord;
  /** How many messages became read by this call. */
  readonly markedCount: number;
  readonly replayed: boolean;
}

export interface SetTypingInput {
  readonly sessionId: SessionId;
  readonly isTyping: boolean;
}

/** Records what happens on the end-user's channel. */
export interface ChannelFlows {
  /** Records the delivery state of an agent's or the bot's message on the end-user's channel. Agents see it. */
  reportChannelDelivery(scope: Scope, input: ReportChannelDeliveryInput): Promise<ReportChannelDeliveryResult>;
  /** Marks all messages to the end-user up to a message as read. Agents see it. FAILED messages stay so. */
  markRead(scope: Scope, input: MarkReadInput): Promise<MarkReadResult>;
  /**
   * Shows agents whether the end-user types. Stores nothing and needs no key. `isForwarded` is false if no agent would
   * see it or the provider cannot show it.
   */
  setTyping(scope: Scope, input: SetTypingInput): Promise<{ readonly isForwarded: boolean }>;
}
