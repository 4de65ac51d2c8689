import { instantOf } from '../../ports/clock';
import { shortenText } from '../../checks/text';
import { fitReceivedFiles } from '../../content/validate-attachments';
import { refusalReason } from '../../files';
import type { ProviderMessageId } from '../../ids';
import type { SessionTransaction, LockedSession, DeliveryQueue } from '../../ports/session-transaction';
import type { AutomaticSource, Observation } from '../../ports/provider/observation';
import type { FileDeps } from '../deps';

type AutomaticReply = Extract<Observation, { readonly kind: 'automaticReply' }>;

const SOURCE_LABELS: Readonly<Record<AutomaticSource['kind'], string>> = {
  PROVIDER: 'The support system',
  RULE: 'An automation rule',
  BOT: 'A bot other than this chatbot',
  UNKNOWN: 'Something that is no person',
};

/**
 * Records an automatic message, and forwards it or notifies agents that it was not forwarded. Called for each such
 * message that a sync finds; a repeat changes nothing. Control and handoff do not change. A message that is not
 * forwarded is stored without its text.
 */
export async function receiveAutomaticReply(
  tx: SessionTransaction,
  deps: FileDeps,
  { id, source, text, content, attachments, at, omittedContent }: AutomaticReply,
): Promise<void> {
  if ((await tx.findMessageByProviderId(id)) !== null) return;
  const reason = reasonNotForwarded(tx, text !== '' || attachments.length > 0, omittedContent ?? null);
  const isForwarded = reason === null;
  const files = fitReceivedFiles(attachments, deps.files?.rules ?? null);
  const message = await tx.insertMessage({
    id: deps.clock.newId(),
    author: 'SYSTEM',
    visibility: isForwarded ? 'PUBLIC' : 'INTERNAL',
    text: isForwarded ? text : '',
    content: isForwarded ? (content ?? null) : null,
    attachments: isForwarded ? files : [],
    authorName: null,
    agentId: null,
    handoffId: tx.liveHandoff?.id ?? null,
    callerMessageId: null,
    providerMessageId: id,
    createdAt: at,
  });
  await tx.appendEvent(
    { type: 'MESSAGE_RECORDED', messageId: message.id, author: 'SYSTEM', visibility: message.visibility },
    message.handoffId,
    instantOf(deps.clock.now()),
  );
  if (!isForwarded)
    return noteOncePerSource(
      tx,
      source,
      id,
      `${SOURCE_LABELS[source.kind]} wrote here, and the end-user did not get it: ${reason}. The same holds for what it writes here later. If the end-user should read it, please write it yourself.`,
    );
  await tx.enqueueForRuntime({ kind: 'MESSAGE', messageId: message.id });
  if (deps.files !== undefined)
    for (const [index, { refused }] of files.entries())
      if (!refused) await tx.enqueueFileWork({ kind: 'ARCHIVE_FILE', messageId: message.id, index });
  const missing = [
    ...files.flatMap(({ name, refused }) =>
      refused ? [`the file ${shortenText(name, 150)}, because ${refusalReason(refused)}`] : [],
    ),
    ...(omittedContent ? [omittedContent] : []),
  ];
  if (missing.length > 0)
    await noteOncePerSource(
      tx,
      source,
      id,
      `${SOURCE_LABELS[source.kind]} wrote here, and a part of it did not reach the end-user: ${missing.join('; ')}.`,
    );
}

/** Returns why a message is not forwarded; null: it is. */
function reasonNotForwarded(
  { inbox, session }: Pick<SessionTransaction, 'inbox' | 'session'>,
  canBeShown: boolean,
  omittedContent: string | null,
): string | null {
  if (session.closedAt !== null) return 'the session is over';
  if (inbox.policy.automaticReplies !== 'FORWARD')
    return 'automatic messages are not forwarded for this chatbot (policy automaticReplies)';
  return canBeShown ? null : (omittedContent ?? 'it is empty');
}

/**
 * Notifies agents of a survey that belongs to no handoff, because a survey is forwarded with the handoff that it asks
 * about.
 */
export const noteSurveyNotForwarded = (tx: LockedSession & DeliveryQueue, about: ProviderMessageId): Promise<void> =>
  noteOncePerSource(
    tx,
    { kind: 'PROVIDER', id: 'survey' },
    about,
    'The survey was not sent to the end-user, because this conversation has had no handoff.',
  );

/**
 * Enqueues at most one note per source in a session. A rule may react to our note and write again, or a bot may answer
 * it, and each later message would cause the next note, without end.
 */
async function noteOncePerSource(
  tx: LockedSession & DeliveryQueue,
  source: AutomaticSource,
  about: ProviderMessageId,
  text: string,
): Promise<void> {
  const noteId = `automatic:${tx.session.id}:${source.kind.toLowerCase()}:${source.id ?? ''}`;
  if ((await tx.note(noteId)) === null) await tx.enqueueForProvider({ kind: 'POST_NOTE', noteId, about, text });
}
