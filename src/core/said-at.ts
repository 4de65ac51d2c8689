import { InvalidInputError } from './errors';
import type { Instant } from './ids';
import type { MessageRecord } from './message';

/** How far ahead of this service's clock a given time may be, because clocks differ by seconds. */
export const MAX_AHEAD_MS = 60_000;
/** How far in the past a given time may be: 10 years. Seconds given as milliseconds lead to 1970 and are refused. */
export const MAX_AGE_MS = 3_653 * 86_400_000;
/**
 * Messages recorded this much later than they were said show agents the time. Below that the difference does not
 * matter.
 */
export const LATE_AFTER_MS = 5 * 60_000;

type TimedMessage = Pick<MessageRecord, 'saidAt' | 'createdAt'>;

/** Returns when a message was said: as the runtime gave it, otherwise when it was recorded. Never used for order. */
export const saidAtOf = ({ saidAt, createdAt }: TimedMessage): Instant => saidAt ?? createdAt;

/**
 * Validates the time that a runtime gives for a message, at each call that takes one.
 * @param now milliseconds since 1970
 * @throws InvalidInputError INPUT_INVALID naming `saidAt` if it is too far ahead or too long ago
 */
export function validateSaidAt(given: Instant | null | undefined, now: number): Instant | null {
  if (given === null || given === undefined) return null;
  const at = Date.parse(given);
  if (Number.isNaN(at) || at > now + MAX_AHEAD_MS)
    throw new InvalidInputError(
      'INPUT_INVALID',
      'saidAt',
      `saidAt is ${given}, which is later than now. Give the time at which the message was said, or omit it.`,
    );
  if (at < now - MAX_AGE_MS)
    throw new InvalidInputError(
      'INPUT_INVALID',
      'saidAt',
      `saidAt is ${given}, which is more than 10 years ago. Give the time at which the message was said, or omit it.`,
    );
  return new Date(at).toISOString();
}

/**
 * Returns the text of a message as agents read it. If the message was recorded late, the text begins with the line
 * `[said 2026-11-22 11:03 UTC]`, because support systems show only the time of the post.
 */
export function textWithTime({ text, saidAt, createdAt }: TimedMessage & Pick<MessageRecord, 'text'>): string {
  if (saidAt === null || Date.parse(createdAt) - Date.parse(saidAt) < LATE_AFTER_MS) return text;
  const line = `[said ${formatMinute(saidAt)}]`;
  return text === '' ? line : `${line}\n${text}`;
}

/** Formats a time as `2026-11-22 11:03 UTC`. */
export const formatMinute = (at: Instant): string => `${at.slice(0, 16).replace('T', ' ')} UTC`;
