import type { HandoffId, ProviderMessageId } from '../ids';
import type { MessageRecord } from '../message';
import { saidAtOf } from '../said-at';

/** Turns that are brought along as messages of their own; what came before goes as one file. */
export const HISTORY_MESSAGES = 50;

/** Where a message is that went as a part of a file. */
export const placeInTranscript = (transcript: ProviderMessageId, { seq }: Pick<MessageRecord, 'seq'>): ProviderMessageId => `${transcript}#${seq}`;
export const isInTranscript = ({ providerMessageId, seq }: Pick<MessageRecord, 'providerMessageId' | 'seq'>): boolean => providerMessageId?.endsWith(`#${seq}`) ?? false;

export const transcriptId = (handoffId: HandoffId): string => `transcript:${handoffId}`;

const WHO: Readonly<Record<MessageRecord['author'], string>> = { END_USER: 'End-user', BOT: 'Bot', AGENT: 'Agent', SYSTEM: 'Service' };

const said = ({ text, attachments, reactions }: MessageRecord): readonly string[] => [
  ...(text === '' ? [] : text.split('\n').map(line => `  ${line}`)),
  ...attachments.map(({ name, url }) => `  [${name}] ${url}`),
  ...reactions.map(({ by, emoji }) => `  ${WHO[by]} reacted with ${emoji}`),
];

/** The beginning of a long talk, to be read from top to bottom. */
export function transcriptOf(messages: readonly MessageRecord[], behind: number): { readonly text: string; readonly content: string } {
  const lines = messages.map(message => {
    const { author, authorName, visibility, deletedAt, editedAt } = message;
    const what = deletedAt !== null ? ', taken back' : `:${editedAt !== null ? ' (edited)' : ''}`;
    const who = `${authorName ?? WHO[author]}${visibility === 'INTERNAL' ? ' (internal)' : ''}`;
    return [`[${saidAtOf(message).slice(0, 19).replace('T', ' ')} UTC] ${who}${what}`, ...(deletedAt !== null ? [] : said(message))].join('\n');
  });
  return {
    text: `The first ${messages.length} messages of this talk are in the attached file; the last ${behind} follow.`,
    content: `${lines.join('\n\n')}\n`,
  };
}
