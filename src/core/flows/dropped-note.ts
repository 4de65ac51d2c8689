import { shortenText } from '../checks/text';
import type { ProviderWork } from '../delivery';

/** The maximum length of a line about one value, so that a note about many values stays readable. */
const MAX_LINE_LENGTH = 2_000;

/**
 * Creates a note for agents about values that their support system did not accept, so that they are not missing
 * silently.
 * @param noteId our id of the note, unique in the conversation
 * @param lines the omitted values, one per line, readable for agents
 */
export const droppedNote = (noteId: string, what: string, lines: readonly string[]): ProviderWork => ({
  kind: 'POST_NOTE',
  noteId,
  text: [what, ...lines.map(line => shortenText(line, MAX_LINE_LENGTH))].join('\n'),
});

export const CONTACT_DROPPED = 'Not all that is known of the end-user could be shown on their contact:';
