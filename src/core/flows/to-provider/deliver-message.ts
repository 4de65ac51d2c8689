import type { PostMessage } from '../../delivery';
import { enqueueInOrder, isWanted } from '../handoff/opening';
import type { DeliveryContext } from './delivery-context';
import { linkConversation, ensureConversation } from './ensure-conversation';
import { postMessage } from './post-message';

/**
 * Delivers one message, if agents do not have it yet: a new one, or a part of a handoff's history. It posts nothing if
 * the history is no longer needed, or if the conversation was created now and earlier messages have to come first.
 */
export async function deliverMessage(context: DeliveryContext, work: PostMessage): Promise<void> {
  const { deps, delivery } = context;
  const message = await deps.stores.messages.get(delivery.organizationId, work.messageId);
  if (message === null || message.providerMessageId !== null) return;
  if (!(await isStillWanted(context, work))) return linkConversation(context);
  let isEnqueuedAgain = false;
  const conversation = await ensureConversation(context, async tx => {
    if (message.seq > 1) isEnqueuedAgain = await enqueueInOrder(tx, message, delivery.id);
  });
  if (!isEnqueuedAgain) await postMessage(context, conversation, message);
}

/** Returns whether a part of a history is still needed. Most history is of a live handoff, which needs no lookup. */
export const isStillWanted = async (
  { session, transact }: DeliveryContext,
  work: Pick<PostMessage, 'handoffId' | 'onlyForHandoff'>,
): Promise<boolean> =>
  work.handoffId === undefined ||
  session.liveHandoffId === work.handoffId ||
  (await transact(tx => isWanted(tx, work)));
