import type { DeliveryOutcome, LaneWork, LaneDestination } from '../delivery';
import type { ProviderMessageId } from '../ids';
import type { MessageRecord } from '../message';
import type { PostedMessage, SessionTransaction } from '../ports/stores';

/**
 * Tells the runtime that a message did not reach the agents, in the transaction that makes its delivery a dead letter.
 * Called for each dead letter; only posts of what end-user or bot said are told.
 */
export async function notifyUndelivered(tx: SessionTransaction, work: LaneWork[LaneDestination], code: string, outcome: DeliveryOutcome): Promise<void> {
  if (work.kind !== 'POST_MESSAGE') return;
  const message = await tx.message(work.messageId);
  if (message === null || (message.author !== 'END_USER' && message.author !== 'BOT')) return;
  // A sync has seen it there meanwhile: nothing would ever take the notice back.
  if (message.providerMessageId !== null && code !== 'PROVIDER_DAMAGED') return;
  await tx.updateMessage(message.id, { isUndelivered: true });
  await tx.oweRuntime({ kind: 'MESSAGE_UNDELIVERED', messageId: message.id, code, outcome });
}

/**
 * Records where the provider keeps a message. Tells the runtime if it was told before that the agents do not have it, once:
 * a sync and the worker that posted the message may both come here.
 */
export const notePosted = (tx: SessionTransaction, { id }: Pick<MessageRecord, 'id'>, providerMessageId: ProviderMessageId): Promise<void> =>
  noteAllPosted(tx, [{ id, providerMessageId }]);

/** The same for many messages, with one statement for all of them. */
export async function noteAllPosted(tx: SessionTransaction, posts: readonly PostedMessage[]): Promise<void> {
  for (const messageId of await tx.recordPosts(posts)) await tx.oweRuntime({ kind: 'MESSAGE_DELIVERED', messageId });
}
