import type { DeliveryOutcome, LaneWork, LaneDestination } from '../delivery';
import type { ProviderMessageId } from '../ids';
import type { MessageRecord } from '../message';
import type { PostedMessage, MessageRows, DeliveryQueue } from '../ports/session-transaction';

/**
 * Notifies the runtime that a message did not reach the agents, in the transaction that parks its delivery. Called for
 * each dead letter; only posts of end-users' and bots' messages cause a notice.
 */
export async function notifyUndelivered(
  tx: MessageRows & DeliveryQueue,
  work: LaneWork[LaneDestination],
  code: string,
  outcome: DeliveryOutcome,
): Promise<void> {
  if (work.kind !== 'POST_MESSAGE') return;
  const message = await tx.findMessage(work.messageId);
  if (message === null || (message.author !== 'END_USER' && message.author !== 'BOT')) return;
  // A sync has seen the post meanwhile, so nothing would ever withdraw the notice.
  if (message.providerMessageId !== null && code !== 'PROVIDER_DAMAGED') return;
  await tx.updateMessage(message.id, { isUndelivered: true });
  await tx.enqueueForRuntime({ kind: 'MESSAGE_UNDELIVERED', messageId: message.id, code, outcome });
}

/**
 * Records the provider's id of a posted message. If the runtime was notified that agents do not have it, it is notified
 * of the delivery, once: both a sync and the worker that posted the message may call this.
 */
export const recordPosted = (
  tx: MessageRows & DeliveryQueue,
  { id }: Pick<MessageRecord, 'id'>,
  providerMessageId: ProviderMessageId,
): Promise<void> => noteAllPosted(tx, [{ id, providerMessageId }]);

/** Does the same for many messages, in one statement. */
export async function noteAllPosted(tx: MessageRows & DeliveryQueue, posts: readonly PostedMessage[]): Promise<void> {
  for (const messageId of await tx.recordPosts(posts))
    await tx.enqueueForRuntime({ kind: 'MESSAGE_DELIVERED', messageId });
}
