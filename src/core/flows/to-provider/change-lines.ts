import type { MessageRecord } from '../../message';
import { formatMinute, saidAtOf } from '../../said-at';
import { isInTranscript } from './transcript';

/** The texts that agents read about changes of a message, where their support system cannot show the change itself. */

/** Stands in the place of a message that was deleted before it was forwarded, so that it is not missing silently. */
export const DELETED_BEFORE_POSTED = 'This message was taken back before it arrived here.';

export const editLine = (message: MessageRecord): string => `Edited${quoteOf(message)}: ${message.text}`;

/** Describes the change from the reaction that agents know to the current one; the two differ. */
export function reactionLine(message: MessageRecord, before: string | null, now: string | null): string {
  const what =
    before === null
      ? `Reacted with ${now}`
      : now === null
        ? `Took the reaction ${before} back`
        : `Changed the reaction from ${before} to ${now}`;
  return `${what}${quoteOf(message)}.`;
}

export const deletionLine = (message: MessageRecord): string => `Took this message back${quoteOf(message)}.`;

/** The text of a file that is posted after its message. */
export const fileLine = (message: MessageRecord, name: string): string => `[${name}]${quoteOf(message)}`;

/** Returns whether a line of ours can reply to the message, so that the text need not say which message it means. */
export const canBeRepliedTo = (message: MessageRecord): boolean =>
  message.providerMessageId !== null && !isInTranscript(message);

const quoteOf = (message: MessageRecord): string =>
  canBeRepliedTo(message) ? '' : ` (the message of ${formatMinute(saidAtOf(message))})`;
