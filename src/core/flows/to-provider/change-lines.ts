import type { MessageRecord } from '../../message';
import { minuteOf, saidAtOf } from '../../said-at';
import { isInTranscript } from './transcript';

/** The texts that agents read about changes of a message, where their support system cannot show the change itself. */

/** Stands in the place of a message that was deleted before it was forwarded, so that it is not missing silently. */
export const TAKEN_BACK = 'This message was taken back before it arrived here.';

export const editLine = (message: MessageRecord): string => `Edited${which(message)}: ${message.text}`;

/** Describes the change from the reaction that agents know to the current one; the two differ. */
export function reactionLine(message: MessageRecord, before: string | null, now: string | null): string {
  const what = before === null ? `Reacted with ${now}` : now === null ? `Took the reaction ${before} back` : `Changed the reaction from ${before} to ${now}`;
  return `${what}${which(message)}.`;
}

export const takenBackLine = (message: MessageRecord): string => `Took this message back${which(message)}.`;

/** The text of a file that is posted after its message. */
export const fileLine = (message: MessageRecord, name: string): string => `[${name}]${which(message)}`;

/** Returns whether a line of ours can reply to the message, so that the text need not say which message it means. */
export const canBeAnswered = (message: MessageRecord): boolean => message.providerMessageId !== null && !isInTranscript(message);

const which = (message: MessageRecord): string =>
  (canBeAnswered(message) ? '' : ` (the message of ${minuteOf(saidAtOf(message))})`);
