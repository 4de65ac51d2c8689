import type { DeliveryOutcome, LaneWork, LaneDestination } from '../delivery';
import type { ProviderMessageId } from '../ids';
import type { MessageRecord } from '../message';
import type { SessionTransaction } from '../ports/stores';

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

/** Records where the provider keeps a message. Tells the runtime if it was told before that the agents do not have it. */
export async function notePosted(tx: SessionTransaction, { id, isUndelivered }: Pick<MessageRecord, 'id' | 'isUndelivered'>, providerMessageId: ProviderMessageId): Promise<void> {
  await tx.setProviderMessageId(id, providerMessageId);
  if (!isUndelivered) return;
  await tx.updateMessage(id, { isUndelivered: false });
  await tx.oweRuntime({ kind: 'MESSAGE_DELIVERED', messageId: id });
}
