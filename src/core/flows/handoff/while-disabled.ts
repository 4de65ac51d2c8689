import type { ConversationView } from '../../conversation-view';
import type { Observation } from '../../ports/provider/observation';
import type { SessionInbox } from '../../ports/session-transaction';
import type { SessionRecord } from '../../session';

/** The tolerance for differing clocks; a message of the last moment is better forwarded than lost. */
const CLOCK_TOLERANCE_MS = 60_000;

/**
 * Returns whether an observation is from while support was disabled. It is not forwarded, because nobody listened then
 * and the bot has continued.
 */
export function isFromWhileDisabled(
  { reenabledAt }: Pick<SessionInbox, 'reenabledAt'>,
  observation: Observation,
): boolean {
  if (reenabledAt === null || !('at' in observation) || observation.at === undefined) return false;
  return Date.parse(observation.at) < Date.parse(reenabledAt) - CLOCK_TOLERANCE_MS;
}

/**
 * Returns the last view, or null if it is from before support was disabled. Agents' actions in between do not count,
 * and no handoff may build on them.
 */
export function trustedLastView(
  { reenabledAt }: Pick<SessionInbox, 'reenabledAt'>,
  { lastView, stateReadAt, openedAt }: SessionRecord,
): ConversationView | null {
  return reenabledAt !== null && Date.parse(stateReadAt ?? openedAt) < Date.parse(reenabledAt) ? null : lastView;
}
