import { shortenText } from '../../checks/text';
import type { MediaDelivery } from '../../delivery';
import type { FileRefusal } from '../../file-errors';
import { refusalReason, replaceFile } from '../../files';
import { hasProviderFiles } from '../../message';
import type { LockedSession, DeliveryQueue } from '../../ports/session-transaction';
import type { StoreDeps } from '../deps';
import { notifyAgents } from '../from-provider/receive-change';

const REFUSALS: readonly string[] = ['FILE_MISSING', 'FILE_TOO_LARGE', 'FILE_TYPE_REFUSED'] satisfies FileRefusal[];
const refusalCode = (code: string): FileRefusal => (REFUSALS.includes(code) ? (code as FileRefusal) : 'FILE_MISSING');

type FileWork = Extract<MediaDelivery['work'], { readonly index: number }>;
const idempotencyFor = ({ id, organizationId }: MediaDelivery, operation: string) => ({
  organizationId,
  operation,
  key: id,
  requestDigest: '',
});

/** Notifies the runtime that agents do not get a file. Called in the transaction that decides it. */
export const notifyFileNotDelivered = (
  tx: DeliveryQueue,
  messageId: string,
  index: number,
  code: FileRefusal,
): Promise<void> => tx.enqueueForRuntime({ kind: 'FILE_NOT_DELIVERED', messageId, index, code });

/**
 * Refuses a file for good: its receiver gets only its name, and its sender is notified, an agent in a private note, the
 * runtime in its inbox. Called once its delivery is not retried; repeats change nothing.
 */
export async function recordFileRefusal(
  { stores }: StoreDeps,
  delivery: MediaDelivery,
  { messageId, index }: FileWork,
  code: string,
): Promise<void> {
  const refused = refusalCode(code);
  await stores.sessions.transact(
    delivery.organizationId,
    delivery.sessionId,
    async tx => {
      const message = await tx.findMessage(messageId);
      const isProviders = message != null && hasProviderFiles(message);
      const file = message?.deletedAt === null ? message.attachments[index] : undefined;
      if (file === undefined) return;
      // An agent's file stays at the provider, for an operator who raises a limit and resends it. A channel's link no
      // longer works.
      await tx.updateMessage(messageId, {
        attachments: replaceFile(message!.attachments, index, { ...file, refused, ...(!isProviders && { url: '' }) }),
      });
      if (!isProviders) await notifyFileNotDelivered(tx, messageId, index, refused);
      else if (message.providerMessageId !== null)
        await notifyAgents(
          tx,
          message.providerMessageId,
          `the file ${shortenText(file.name, 150)}, because ${refusalReason(refused)}`,
          index,
        );
    },
    idempotencyFor(delivery, 'fileGivenUp'),
  );
}

/**
 * Returns whether the file's message is in a lost conversation. Its next post, in the new conversation, includes the
 * file.
 */
const isOfLostConversation = (tx: LockedSession, { conversationId }: MediaDelivery): boolean =>
  conversationId !== null && conversationId !== tx.session.conversationId;

/** Enqueues the post of a file that agents were promised and that is archived now. Called once for each delivery. */
export async function enqueueFilePost(
  { stores, clock }: StoreDeps,
  delivery: MediaDelivery,
  { messageId, index }: FileWork,
): Promise<void> {
  await stores.sessions.transact(
    delivery.organizationId,
    delivery.sessionId,
    async tx => {
      if (!isOfLostConversation(tx, delivery))
        await tx.enqueueForProvider({ kind: 'POST_FILE', postId: clock.newId(), messageId, index });
    },
    idempotencyFor(delivery, 'fileArrived'),
  );
}

/** Notifies agents that a promised file will not come. Called once per delivery. */
export async function notifyAgentsOfMissingFile(
  { stores }: StoreDeps,
  delivery: MediaDelivery,
  { messageId, index }: FileWork,
  code: string,
): Promise<void> {
  await stores.sessions.transact(
    delivery.organizationId,
    delivery.sessionId,
    async tx => {
      const message = await tx.findMessage(messageId);
      const file = message?.deletedAt === null ? message.attachments[index] : undefined;
      if (file === undefined || message?.providerMessageId == null || isOfLostConversation(tx, delivery)) return;
      const [about] = message.providerMessageId.split('#');
      await tx.enqueueForProvider({
        kind: 'POST_NOTE',
        noteId: `nofile:${messageId}:${index}`,
        about: about!,
        text: `The file ${shortenText(file.name, 150)} does not follow: ${refusalReason(file.refused ?? code)}.`,
      });
    },
    idempotencyFor(delivery, 'fileNotComing'),
  );
}
