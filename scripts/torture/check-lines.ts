import type { SessionEvidence } from './session-evidence';
import type { Column, Finding } from './check-evidence';
import { findQueuedNotices } from './check-handoffs';

/**
 * Checks the policy's lines to the end-user. The queued line arrives once for each handoff that was queued, at the
 * first time; the closing line once before each outcome, and not in a closed session. A line that the policy leaves
 * empty never arrives.
 */
export function checkLines(one: SessionEvidence): readonly Finding[] {
  const { lines } = one.opened;
  const found: Finding[] = [];
  const add = (column: Column, what: string) => found.push({ column, session: one.session, what });
  const closing = (state: string): string =>
    (state === 'REJECTED' ? lines.rejected : state === 'FAILED' ? lines.failed : lines.ended) ?? '';
  const promised = findQueuedNotices(one);
  // Everything received before the request to close was said before it.
  const closedFrom =
    one.log.find(({ entry }) => entry.kind === 'asked' && entry.operation === 'close')?.entry.at ?? Infinity;

  const expected = new Set<string>();
  let ends: string[] = [];
  for (const delivery of one.received) {
    const { notice } = delivery;
    if (notice.kind === 'state' && promised.get(notice.handoffId) === delivery && (lines.queued ?? '') !== '')
      expected.add(notice.handoffId);
    if (notice.kind === 'message' && notice.author === 'SYSTEM') hear(notice.text);
    if (notice.kind !== 'outcome') continue;
    if (expected.delete(notice.handoffId)) add('lost', `the queued line of handoff ${notice.handoffId} never came`);
    close(notice, delivery.at < closedFrom);
  }
  for (const id of expected) add('lost', `the queued line of handoff ${id} never came`);
  for (const text of ends) add('doubled', `${text} was received without an outcome after it`);
  return found;

  function hear(text: string): void {
    if (text !== '' && [lines.ended, lines.rejected, lines.failed].includes(text)) return void ends.push(text);
    const [first] = expected;
    if (text !== lines.queued || text === '') add('doubled', `${text} was received and is not a line of this chatbot`);
    else if (first === undefined) add('doubled', 'the queued line came more often than handoffs were queued');
    else expected.delete(first);
  }

  function close(
    { handoffId, state, reason }: { handoffId: string; state: string; reason: string | null },
    isBeforeClose: boolean,
  ): void {
    const text = reason === 'SESSION_CLOSED' ? '' : closing(state);
    const [first, ...more] = ends;
    ends = [];
    if (first === undefined && text !== '' && isBeforeClose)
      add('lost', `${text} never came before the outcome of handoff ${handoffId}`);
    if (first !== undefined && first !== text)
      add('doubled', `${first} came before the outcome of handoff ${handoffId}, which is ${state}`);
    for (const again of more) add('doubled', `${again} came once more before the outcome of handoff ${handoffId}`);
  }
}
