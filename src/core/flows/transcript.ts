import type { HandoffId } from '../ids';
import type { MessageRecord } from '../message';

/** Turns that are brought along as messages of their own; what came before goes as one file. */
export const HISTORY_MESSAGES = 50;

export const transcriptId = (handoffId: HandoffId): string => `transcript:${handoffId}`;

const WHO: Readonly<Record<MessageRecord['author'], string>> = { END_USER: 'End-user', BOT: 'Bot', AGENT: 'Agent', SYSTEM: 'Service' };

/** The beginning of a long talk, to be read from top to bottom. */
export function transcriptOf(messages: readonly MessageRecord[], behind: number): { readonly text: string; readonly content: string } {
  const lines = messages.map(({ author, authorName, visibility, text, attachments, createdAt }) => {
    const who = `${authorName ?? WHO[author]}${visibility === 'INTERNAL' ? ' (internal)' : ''}`;
    const files = attachments.map(({ name, url }) => `  [${name}] ${url}`);
    return [`[${createdAt.slice(0, 19).replace('T', ' ')} UTC] ${who}:`, ...(text === '' ? [] : text.split('\n').map(line => `  ${line}`)), ...files].join('\n');
  });
  return {
    text: `The first ${messages.length} messages of this talk are in the attached file; the last ${behind} follow.`,
    content: `${lines.join('\n\n')}\n`,
  };
}
