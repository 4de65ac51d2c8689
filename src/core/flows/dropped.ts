import { shortened } from '../checks/text';
import type { ProviderWork } from '../delivery';

/** Longest line about one thing; the note stays readable when much was dropped. */
const MAX_LINE = 2_000;

/**
 * A note that tells agents what their support system did not take, so that it is not missing without a word.
 * @param noteId our id of the note, unique in the conversation
 * @param lines what was dropped, one thing a line, readable for agents
 */
export const droppedNote = (noteId: string, what: string, lines: readonly string[]): ProviderWork =>
  ({ kind: 'POST_NOTE', noteId, text: [what, ...lines.map(line => shortened(line, MAX_LINE))].join('\n') });

export const CONTACT_DROPPED = 'Not all that is known of the end-user could be shown on their contact:';
