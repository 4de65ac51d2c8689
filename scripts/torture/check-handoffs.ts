import { groupedBy, type SessionEvidence } from './session-evidence';
import type { Column, Finding } from './check-evidence';
import type { Received } from './evidence';

/** Live states in which a handoff may stay for hours. */
export const AT_REST = ['QUEUED', 'ASSIGNED', 'ACTIVE', 'ON_HOLD'];

/**
 * Checks that each handoff is either over with an outcome, or live with the conversation at the agents. Any other is
 * stuck.
 */
export function checkStuck(one: SessionEvidence): readonly Finding[] {
  const stuck = (what: string): Finding => ({ column: 'stuck handoffs', session: one.session, what });
  const found: Finding[] = [];
  const { final } = one;
  if (final === null) return [stuck('the final state of the session is unknown')];
  if (one.moves === null) found.push(stuck('the transitions of its handoffs are unknown'));
  const known = new Set([
    ...one.log.flatMap(({ entry }) => (entry.kind === 'answered' && entry.handoffId !== null ? [entry.handoffId] : [])),
    ...one.received.flatMap(({ notice }) => (notice.kind === 'state' ? [notice.handoffId] : [])),
    ...(one.moves ?? []).map(({ handoffId }) => handoffId),
  ]);
  const over = new Set(one.received.flatMap(({ notice }) => (notice.kind === 'outcome' ? [notice.handoffId] : [])));
  const live = final.handoff;
  for (const id of known)
    if (!over.has(id) && live?.id !== id) found.push(stuck(`handoff ${id} is not live and has no outcome`));

  if (live !== null) {
    if (over.has(live.id)) found.push(stuck(`handoff ${live.id} is ${live.state} after its outcome`));
    if (!AT_REST.includes(live.state)) found.push(stuck(`handoff ${live.id} stays ${live.state}`));
    const at = one.conversations.at(-1);
    if (at?.status !== 'open' && at?.status !== 'snoozed')
      found.push(stuck(`handoff ${live.id} is ${live.state} while its conversation is ${at?.status ?? 'missing'}`));
  }
  const control = live === null ? 'BOT' : live.state === 'REQUESTED' || live.state === 'QUEUED' ? 'NONE' : 'HUMAN';
  if (final.control !== control)
    found.push(
      stuck(
        `control is ${final.control} with ${live === null ? 'no live handoff' : `a handoff that is ${live.state}`}`,
      ),
    );
  return found;
}

/** Returns the notice of each handoff's first transition from the request to the queue; the queued line follows it. */
export function findQueuedNotices({ received }: SessionEvidence): ReadonlyMap<string, Received> {
  const promised = new Map<string, Received>();
  const was = new Map<string, string>();
  const queued = new Set<string>();
  for (const delivery of received) {
    const { notice } = delivery;
    if (notice.kind !== 'state') continue;
    const before = was.get(notice.handoffId) ?? 'REQUESTED';
    if (notice.state === 'QUEUED' && before === 'REQUESTED' && !queued.has(notice.handoffId))
      promised.set(notice.handoffId, delivery);
    if (notice.state === 'QUEUED') queued.add(notice.handoffId);
    was.set(notice.handoffId, notice.state);
  }
  return promised;
}

/**
 * Checks the notices of transitions. The runtime gets each one except the request, which was its own call, the
 * beginning of the end, and the end itself, which is the outcome.
 */
export function checkNotices(one: SessionEvidence): readonly Finding[] {
  const found: Finding[] = [];
  const add = (column: Column, what: string) => found.push({ column, session: one.session, what });
  const notified = groupedBy(
    one.received.flatMap(({ notice }) => (notice.kind === 'state' ? [notice] : [])),
    ({ handoffId }) => handoffId,
  );
  const moves = groupedBy(
    (one.moves ?? []).filter(({ from, to }) => AT_REST.includes(to) || (to === 'REQUESTED' && from !== null)),
    ({ handoffId }) => handoffId,
  );
  if (one.moves !== null)
    for (const id of new Set([...notified.keys(), ...moves.keys()]))
      compare(id, notified.get(id)?.map(({ state }) => state) ?? [], moves.get(id)?.map(({ to }) => to) ?? []);

  const live = one.final?.handoff;
  const last = live && notified.get(live.id)?.at(-1)?.state;
  if (live && AT_REST.includes(live.state) && last !== live.state)
    add('lost', `handoff ${live.id} is ${live.state}, and the runtime's last notice was ${last ?? 'none'}`);
  return found;

  function compare(id: string, heard: readonly string[], happened: readonly string[]): void {
    const timesOf = (states: readonly string[], state: string) => states.filter(other => other === state).length;
    for (const state of new Set([...heard, ...happened])) {
      const [times, due] = [timesOf(heard, state), timesOf(happened, state)];
      if (times < due)
        add('lost', `the notice that handoff ${id} became ${state} was received ${times} times of ${due}`);
      if (times > due)
        add(
          'doubled',
          `the notice that handoff ${id} became ${state} was received ${times} times, and it did ${due} times`,
        );
    }
    if (
      heard.length === happened.length &&
      heard.join() !== happened.join() &&
      [...heard].sort().join() === [...happened].sort().join()
    )
      add('out of order', `handoff ${id} went ${happened.join(', ')}, and was received as ${heard.join(', ')}`);
  }
}
