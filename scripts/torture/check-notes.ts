import type { Case } from './case';
import { AT_REST, promisedIn } from './check-handoffs';
import type { Column, Finding } from './checker';
import type { FarLine } from './evidence';

/**
 * The note with which a handoff comes to the agents: it tells why the runtime asked. It stands in a conversation once at most,
 * and is there when the handoff was queued, or is with people in the end. One that ended before that may have it or not; one
 * that was joined is told as it was begun; one that agents began has none.
 */
export function notesOf(one: Case): readonly Finding[] {
  const found: Finding[] = [];
  const add = (column: Column, what: string) => found.push({ column, session: one.session, what });
  const promised = promisedIn(one);
  const live = one.final?.handoff;
  const began = begunBy(one);
  for (const [handoffId, reason] of began) {
    const times = one.conversations.map(({ lines }) => lines.filter((line) => isNote(line) && line.text.includes(reason)).length);
    if (times.some((count) => count > 1)) add('doubled', `the context note of ${reason} stands there ${Math.max(...times)} times`);
    const isThere = times.some((count) => count > 0);
    if (!isThere && (promised.has(handoffId) || (live?.id === handoffId && AT_REST.includes(live.state)))) add('lost', `the context note of ${reason} is not there`);
  }

  const reasons = [...began.values()];
  const suggestions = new Set(one.turns.map(({ text }) => text));
  // Nobody knows which handoff a request without an answer began.
  const mayBe = one.log.flatMap(({ entry }) => (entry.kind === 'asked' && entry.operation === 'handoff' && !isAnswered(one, entry.key) ? [entry.text!] : []));
  for (const line of one.lines)
    if (isNote(line) && !suggestions.has(line.text) && ![...reasons, ...mayBe].some((reason) => line.text.includes(reason))) add('doubled', `${line.text} stands there as a note and belongs to no handoff of this session`);
  return found;
}

const isNote = ({ by, isPrivate, file }: FarLine): boolean => isPrivate && file === null && by !== 'agent';
const isAnswered = ({ log }: Case, key: string): boolean => log.some(({ entry }) => entry.kind === 'answered' && entry.key === key);

/**
 * Each handoff that was asked for, with the reason of the request that began it: the first that was answered with it. One
 * that agents began is nobody's, whoever joins it.
 */
function begunBy({ log, moves }: Case): ReadonlyMap<string, string> {
  const agents = new Set(moves?.filter(({ from, to }) => from === null && to !== 'REQUESTED').map(({ handoffId }) => handoffId));
  const began = new Map<string, string>();
  for (const { entry: { key, text } } of log.flatMap(({ entry }) => (entry.kind === 'asked' && entry.operation === 'handoff' ? [{ entry }] : [])))
    for (const { entry } of log)
      if (entry.kind === 'answered' && entry.operation === 'handoff' && entry.key === key && entry.handoffId !== null && !agents.has(entry.handoffId) && !began.has(entry.handoffId))
        began.set(entry.handoffId, text!);
  return began;
}
