import type { ConversationView, Observation } from '../ports/support-provider';
import type { SessionInbox } from '../ports/stores';
import type { SessionRecord } from '../session';

/** Clocks differ, and a word of the last moment is better sent than lost. */
const LENIENT_MS = 60_000;

/** From while support was switched off: nobody listened, the bot has gone on, and it is not said now. */
export function isFromWhileOff({ heardSince }: Pick<SessionInbox, 'heardSince'>, observation: Observation): boolean {
  if (heardSince === null || !('at' in observation) || observation.at === undefined) return false;
  return Date.parse(observation.at) < Date.parse(heardSince) - LENIENT_MS;
}

/** The view that was seen last, or null where it is from before support was switched off: what people did since is no news, and no handoff may build on it. */
export function lastViewOf({ heardSince }: Pick<SessionInbox, 'heardSince'>, { lastView, stateReadAt, openedAt }: SessionRecord): ConversationView | null {
  return heardSince !== null && Date.parse(stateReadAt ?? openedAt) < Date.parse(heardSince) ? null : lastView;
}
