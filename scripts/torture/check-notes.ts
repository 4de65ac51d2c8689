import type { SessionEvidence } from './session-evidence';
import { AT_REST, findQueuedNotices } from './check-handoffs';
import type { Column, Finding } from './check-evidence';
import type { RemoteMessage } from './evidence';

/**
 * Checks the context notes, which contain the runtime's reason for a handoff. A conversation has each at most once, and
 * must have it if the handoff was queued or is with agents at the end. A handoff that ended before may have it or not.
 * One that a later request joined has its first reason; one that agents started has none.
 */
export function checkNotes(one: SessionEvidence): readonly Finding[] {
  const found: Finding[] = [];
  const add = (column: Column, what: string) => found.push({ column, session: one.session, what });
  const promised = findQueuedNotices(one);
  const live = one.final?.handoff;
  const began = begunBy(one);
  for (const [handoffId, reason] of began) {
    const times = one.conversations.map(
      ({ lines }) => lines.filter(line => isNote(line) && line.text.includes(reason)).length,
    );
    if (times.some(count => count > 1))
      add('doubled', `the context note of ${reason} was posted ${Math.max(...times)} times`);
    const isThere = times.some(count => count > 0);
    if (!isThere && (promised.has(handoffId) || (live?.id === handoffId && AT_REST.includes(live.state))))
      add('lost', `the context note of ${reason} is missing`);
  }

  const reasons = [...began.values()];
  const suggestions = new Set(one.messages.map(({ text }) => text));
  // A handoff request without a response may have begun any handoff.
  const mayBe = one.log.flatMap(({ entry }) =>
    entry.kind === 'asked' && entry.operation === 'handoff' && !isAnswered(one, entry.key) ? [entry.text!] : [],
  );
  for (const line of one.lines)
    if (
      isNote(line) &&
      !suggestions.has(line.text) &&
      ![...reasons, ...mayBe].some(reason => line.text.includes(reason))
    )
      add('doubled', `${line.text} was posted as a note and belongs to no handoff of this session`);
  return found;
}

const isNote = ({ by, isPrivate, file }: RemoteMessage): boolean => isPrivate && file === null && by !== 'agent';
const isAnswered = ({ log }: SessionEvidence, key: string): boolean =>
  log.some(({ entry }) => entry.kind === 'answered' && entry.key === key);

/**
 * Returns each requested handoff with the reason of the request that began it: the first one whose response has its id.
 * Handoffs that agents started are excluded, even if a request joined them.
 */
function begunBy({ log, moves }: SessionEvidence): ReadonlyMap<string, string> {
  const agents = new Set(
    moves?.filter(({ from, to }) => from === null && to !== 'REQUESTED').map(({ handoffId }) => handoffId),
  );
  const began = new Map<string, string>();
  for (const {
    entry: { key, text },
  } of log.flatMap(({ entry }) => (entry.kind === 'asked' && entry.operation === 'handoff' ? [{ entry }] : [])))
    for (const { entry } of log)
      if (
        entry.kind === 'answered' &&
        entry.operation === 'handoff' &&
        entry.key === key &&
        entry.handoffId !== null &&
        !agents.has(entry.handoffId) &&
        !began.has(entry.handoffId)
      )
        began.set(entry.handoffId, text!);
  return began;
}
