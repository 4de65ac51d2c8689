import type { MessageRecord } from '../message';
import { minuteOf, saidAtOf } from '../said-at';
import { isInTranscript } from './transcript';

/** What agents read about things that happened to a message, where their support system has nothing of its own for it. */

/** Stands where the message would: it was never shown, and is not silently missing. */
export const TAKEN_BACK = 'This message was taken back before it arrived here.';

export const editLine = (message: MessageRecord): string => `Edited${which(message)}: ${message.text}`;

/** From what agents know to what is so; the two differ. */
export function reactionLine(message: MessageRecord, before: string | null, now: string | null): string {
  const what = before === null ? `Reacted with ${now}` : now === null ? `Took the reaction ${before} back` : `Changed the reaction from ${before} to ${now}`;
  return `${what}${which(message)}.`;
}

export const takenBackLine = (message: MessageRecord): string => `Took this message back${which(message)}.`;

/** Whether a line of ours can answer it there, so that nobody has to be told which one is meant. */
export const canBeAnswered = (message: MessageRecord): boolean => message.providerMessageId !== null && !isInTranscript(message);

const which = (message: MessageRecord): string =>
  (canBeAnswered(message) ? '' : ` (the message of ${minuteOf(saidAtOf(message))})`);
