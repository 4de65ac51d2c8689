import { fileKey } from '../../files';
import type { OpeningStep } from '../../delivery';
import type { ProviderMessageId } from '../../ids';
import type { MessageRecord } from '../../message';
import { saidAtOf } from '../../said-at';

/** How many messages of the history are posted as single messages. Earlier ones are posted as one file. */
export const HISTORY_MESSAGES = 50;

/** Returns the provider message id of a message that was posted within a file. */
export const transcriptPlaceId = (
  transcript: ProviderMessageId,
  { seq }: Pick<MessageRecord, 'seq'>,
): ProviderMessageId => `${transcript}#${seq}`;
export const isInTranscript = ({ providerMessageId, seq }: Pick<MessageRecord, 'providerMessageId' | 'seq'>): boolean =>
  providerMessageId?.endsWith(`#${seq}`) ?? false;

/** The keys of the files that are posted with a transcript. */
export interface TranscriptNames {
  readonly names: ReadonlySet<string>;
}

export type PostTranscript = Extract<OpeningStep, { readonly kind: 'POST_TRANSCRIPT' }>;

/** Returns the id of a transcript. A handoff that is opened again may have a second, longer one. */
export const transcriptId = ({ handoffId, throughSeq }: Pick<PostTranscript, 'handoffId' | 'throughSeq'>): string =>
  `transcript:${handoffId}:${throughSeq}`;

const AUTHOR_LABELS: Readonly<Record<MessageRecord['author'], string>> = {
  END_USER: 'End-user',
  BOT: 'Bot',
  AGENT: 'Agent',
  SYSTEM: 'Service',
};

/** Returns the name of a file next to the transcript, so that a reader finds the message it belongs to. */
export const nameInTranscript = ({ seq }: Pick<MessageRecord, 'seq'>, name: string): string => `${seq} ${name}`;

const messageLines = (message: MessageRecord, attached: TranscriptNames): readonly string[] => [
  ...(message.text === '' ? [] : message.text.split('\n').map(line => `  ${line}`)),
  // Never their links, because those expire and may contain secrets.
  ...message.attachments.map(({ name }, index) =>
    attached.names.has(fileKey({ messageId: message.id, index }))
      ? `  [${nameInTranscript(message, name)}] attached`
      : `  [${name}]`,
  ),
  ...message.reactions.map(({ by, emoji }) => `  ${AUTHOR_LABELS[by]} reacted with ${emoji}`),
];

/** Renders the beginning of a long conversation, to be read from top to bottom. */
export function renderTranscript(
  messages: readonly MessageRecord[],
  behind: number,
  attached: TranscriptNames,
): { readonly text: string; readonly content: string } {
  const lines = messages.map(message => {
    const { author, authorName, visibility, deletedAt, editedAt } = message;
    const what = deletedAt !== null ? ', taken back' : `:${editedAt !== null ? ' (edited)' : ''}`;
    const who = `${authorName ?? AUTHOR_LABELS[author]}${visibility === 'INTERNAL' ? ' (internal)' : ''}`;
    return [
      `[${saidAtOf(message).slice(0, 19).replace('T', ' ')} UTC] ${who}${what}`,
      ...(deletedAt !== null ? [] : messageLines(message, attached)),
    ].join('\n');
  });
  return {
    text: `The first ${messages.length} messages of this conversation are in the attached file; the last ${behind} follow.`,
    content: `${lines.join('\n\n')}\n`,
  };
}
