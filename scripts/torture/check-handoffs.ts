import { groupedBy, type Case } from './case';
import type { Column, Finding } from './checker';
import type { Received } from './evidence';

/** Live and with somebody: nothing has to happen for it to be so for hours. */
export const AT_REST = ['QUEUED', 'ASSIGNED', 'ACTIVE', 'ON_HOLD'];

/** A handoff is over, with an outcome; or it is live, and people have the conversation. Everything else is stuck. */
export function stuckIn(one: Case): readonly Finding[] {
  const stuck = (what: string): Finding => ({ column: 'stuck handoffs', session: one.session, what });
  const found: Finding[] = [];
  const { final } = one;
  if (final === null) return [stuck('nobody could say how the session ended')];
  if (one.moves === null) found.push(stuck('nobody could say how its handoffs went'));
  const known = new Set([
    ...one.log.flatMap(({ entry }) => (entry.kind === 'answered' && entry.handoffId !== null ? [entry.handoffId] : [])),
    ...one.received.flatMap(({ notice }) => (notice.kind === 'state' ? [notice.handoffId] : [])),
    ...(one.moves ?? []).map(({ handoffId }) => handoffId),
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

/** For each handoff that got from the request into the queue: the notice that said so, which a promise follows. */
export function promisedIn({ received }: Case): ReadonlyMap<string, Received> {
  const promised = new Map<string, Received>();
  const was = new Map<string, string>();
  const queued = new Set<string>();
  for (const delivery of received) {
    const { notice } = delivery;
    if (notice.kind !== 'state') continue;
    const before = was.get(notice.handoffId) ?? 'REQUESTED';
    if (notice.state === 'QUEUED' && before === 'REQUESTED' && !queued.has(notice.handoffId)) promised.set(notice.handoffId, delivery);
    if (notice.state === 'QUEUED') queued.add(notice.handoffId);
    was.set(notice.handoffId, notice.state);
  }
  return promised;
}

/**
 * The runtime was told of each move of a handoff: all but its request, which was the runtime's own call, the beginning of
 * its end, and the end itself, which is the outcome.
 */
export function noticesOf(one: Case): readonly Finding[] {
  const found: Finding[] = [];
  const add = (column: Column, what: string) => found.push({ column, session: one.session, what });
  const told = groupedBy(one.received.flatMap(({ notice }) => (notice.kind === 'state' ? [notice] : [])), ({ handoffId }) => handoffId);
  const moves = groupedBy((one.moves ?? []).filter(({ from, to }) => AT_REST.includes(to) || (to === 'REQUESTED' && from !== null)), ({ handoffId }) => handoffId);
  if (one.moves !== null)
    for (const id of new Set([...told.keys(), ...moves.keys()])) compare(id, told.get(id)?.map(({ state }) => state) ?? [], moves.get(id)?.map(({ to }) => to) ?? []);

  const live = one.final?.handoff;
  const last = live && told.get(live.id)?.at(-1)?.state;
  if (live && AT_REST.includes(live.state) && last !== live.state) add('lost', `handoff ${live.id} is ${live.state}, and the runtime was last told ${last ?? 'nothing'}`);
  return found;

  function compare(id: string, heard: readonly string[], happened: readonly string[]): void {
    const timesOf = (states: readonly string[], state: string) => states.filter((other) => other === state).length;
    for (const state of new Set([...heard, ...happened])) {
      const [times, due] = [timesOf(heard, state), timesOf(happened, state)];
      if (times < due) add('lost', `that handoff ${id} became ${state} was received ${times} times of ${due}`);
      if (times > due) add('doubled', `that handoff ${id} became ${state} was received ${times} times, and it did ${due} times`);
    }
    if (heard.length === happened.length && heard.join() !== happened.join() && [...heard].sort().join() === [...happened].sort().join())
      add('out of order', `handoff ${id} went ${happened.join(', ')}, and was received as ${heard.join(', ')}`);
  }
}
