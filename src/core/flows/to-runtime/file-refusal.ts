import { shortened } from '../../checks/text';
import type { MediaDelivery } from '../../delivery';
import type { FileRefusal } from '../../errors';
import { reasonOf, withFile } from '../../files';
import { hasProviderFiles } from '../../message';
import type { SessionTransaction } from '../../ports/stores';
import type { FlowDeps } from '../deps';
import { tellAgents } from '../from-provider/receive-change';

const REFUSALS: readonly string[] = ['FILE_MISSING', 'FILE_TOO_LARGE', 'FILE_TYPE_REFUSED'] satisfies FileRefusal[];
const refusalOf = (code: string): FileRefusal => (REFUSALS.includes(code) ? code as FileRefusal : 'FILE_MISSING');

type OfFile = Extract<MediaDelivery['work'], { readonly index: number }>;
const onceFor = ({ id, organizationId }: MediaDelivery, operation: string) => ({ organizationId, operation, key: id, requestDigest: '' });

/** Notifies the runtime that agents do not get a file. Called in the transaction that decides it. */
export const tellRuntime = (tx: SessionTransaction, messageId: string, index: number, code: FileRefusal): Promise<void> =>
  tx.oweRuntime({ kind: 'FILE_NOT_DELIVERED', messageId, index, code });

/**
 * Refuses a file for good: its receiver gets only its name, and its sender is notified, an agent in a private note, the
 * runtime in its inbox. Called once its delivery is not retried; repeats change nothing.
 */
export async function fileGivenUp({ stores }: FlowDeps, delivery: MediaDelivery, { messageId, index }: OfFile, code: string): Promise<void> {
  const refused = refusalOf(code);
  await stores.sessions.transact(delivery.organizationId, delivery.sessionId, async tx => {
    const message = await tx.message(messageId);
    const isProviders = message != null && hasProviderFiles(message);
    const file = message?.deletedAt === null ? message.attachments[index] : undefined;
    if (file === undefined) return;
    // An agent's file stays at the provider, for an operator who raises a limit and resends it. A channel's link no
    // longer works.
    await tx.updateMessage(messageId, { attachments: withFile(message!.attachments, index, { ...file, refused, ...(!isProviders && { url: '' }) }) });
    if (!isProviders) await tellRuntime(tx, messageId, index, refused);
    else if (message.providerMessageId !== null) await tellAgents(tx, message.providerMessageId, `the file ${shortened(file.name, 150)}, because ${reasonOf(refused)}`, index);
  }, onceFor(delivery, 'fileGivenUp'));
}

/** The words that the file was to follow stand in a conversation that is gone: whoever posts them in the next one brings the file there. */
const isOfLostConversation = (tx: SessionTransaction, { conversationId }: MediaDelivery): boolean => conversationId !== null && conversationId !== tx.session.conversationId;

/** A file that agents were promised is kept now: it is posted after the words it belongs to. Once for each delivery. */
export async function fileArrived({ stores, clock }: FlowDeps, delivery: MediaDelivery, { messageId, index }: OfFile): Promise<void> {
  await stores.sessions.transact(delivery.organizationId, delivery.sessionId, async tx => {
    if (!isOfLostConversation(tx, delivery)) await tx.oweProvider({ kind: 'POST_FILE', lineId: clock.newId(), messageId, index });
  }, onceFor(delivery, 'fileArrived'));
}

/** Notifies agents that a promised file will not come. Called once per delivery. */
export async function fileNotComing({ stores }: FlowDeps, delivery: MediaDelivery, { messageId, index }: OfFile, code: string): Promise<void> {
  await stores.sessions.transact(delivery.organizationId, delivery.sessionId, async tx => {
    const message = await tx.message(messageId);
    const file = message?.deletedAt === null ? message.attachments[index] : undefined;
    if (file === undefined || message?.providerMessageId == null || isOfLostConversation(tx, delivery)) return;
    const [about] = message.providerMessageId.split('#');
    await tx.oweProvider({ kind: 'POST_NOTE', noteId: `nofile:${messageId}:${index}`, about: about!, text: `The file ${shortened(file.name, 150)} does not follow: ${reasonOf(file.refused ?? code)}.` });
  }, onceFor(delivery, 'fileNotComing'));
}
