import type { Case } from './case';
import type { Finding } from './checker';

/** Live and with somebody: nothing has to happen for it to be so for hours. */
const AT_REST = ['QUEUED', 'ASSIGNED', 'ACTIVE', 'ON_HOLD'];

/** A handoff is over, with an outcome; or it is live, and people have the conversation. Everything else is stuck. */
export function stuckIn(one: Case): readonly Finding[] {
  const stuck = (what: string): Finding => ({ column: 'stuck handoffs', session: one.session, what });
  const found: Finding[] = [];
  const { final } = one;
  if (final === null) return [stuck('nobody could say how the session ended')];
  const known = new Set([
    ...one.log.flatMap(({ entry }) => (entry.kind === 'answered' && entry.handoffId !== null ? [entry.handoffId] : [])),
    ...one.received.flatMap(({ notice }) => (notice.kind === 'state' ? [notice.handoffId] : [])),
  ]);
  const over = new Set(one.received.flatMap(({ notice }) => (notice.kind === 'outcome' ? [notice.handoffId] : [])));
  const live = final.handoff;
  for (const id of known) if (!over.has(id) && live?.id !== id) found.push(stuck(`handoff ${id} is not live and has no outcome`));

  if (live !== null) {
    if (over.has(live.id)) found.push(stuck(`handoff ${live.id} is ${live.state} after its outcome`));
    if (!AT_REST.includes(live.state)) found.push(stuck(`handoff ${live.id} stays ${live.state}`));
    const at = one.conversations.at(-1);
    if (at?.status !== 'open' && at?.status !== 'snoozed') found.push(stuck(`handoff ${live.id} is ${live.state} over a conversation that is ${at?.status ?? 'not there'}`));
  }
  const control = live === null ? 'BOT' : live.state === 'REQUESTED' || live.state === 'QUEUED' ? 'NONE' : 'HUMAN';
  if (final.control !== control) found.push(stuck(`control is ${final.control} with ${live === null ? 'no live handoff' : `a handoff that is ${live.state}`}`));
  return found;
}
