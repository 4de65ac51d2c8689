import type { Answered, Asked } from './session-evidence';
import type { Finding } from './check-evidence';
import type { Evidence, Invocation } from './evidence';

type Opened = Extract<Invocation, { kind: 'opened' }>;

/**
 * Checks that every call got a response in the end, and was refused only where it must be. Includes sessions that could
 * not be opened.
 */
export function checkCalls({ log }: Evidence): readonly Finding[] {
  const found: Finding[] = [];
  const idOf = ({ session, operation, key }: Pick<Asked, 'session' | 'operation' | 'key'>) =>
    `${session} ${operation} ${key}`;
  const asked = new Map<string, Asked>();
  const notified = new Set<string>();
  const opened = new Map<string, Opened>();
  const closing = new Set<string>();
  for (const entry of log) {
    if (entry.kind === 'opened') opened.set(entry.session, entry);
    if (entry.kind === 'asked') {
      asked.set(idOf(entry), entry);
      if (entry.operation === 'close') closing.add(entry.session);
    }
    if (entry.kind === 'unanswered')
      found.push({
        column: 'unanswered',
        session: entry.session,
        what: `${entry.operation} ${entry.key} never got a response`,
      });
    if (entry.kind !== 'answered' && entry.kind !== 'unanswered') continue;
    notified.add(idOf(entry));
    if (
      entry.kind === 'answered' &&
      entry.refused !== null &&
      !mayBeRefused(
        entry,
        asked.get(idOf(entry)) ?? null,
        opened.get(entry.session) ?? null,
        closing.has(entry.session),
      )
    )
      found.push({
        column: 'refused',
        session: entry.session,
        what: `${entry.operation} ${entry.key} was refused with ${entry.refused}`,
      });
  }
  for (const [id, { session, operation, key }] of asked)
    if (!notified.has(id))
      found.push({ column: 'unanswered', session, what: `${operation} ${key} was sent, and no response was recorded` });
  return found;
}

/** Returns whether a refusal is correct: a late message, a cancel without a handoff, anything once a close was sent. */
function mayBeRefused(
  { operation, refused, control, epoch }: Answered,
  asked: Asked | null,
  opened: Opened | null,
  isClosing: boolean,
): boolean {
  switch (refused) {
    case 'CONTROL_LOST': {
      if (asked?.epoch == null || epoch === null || (operation !== 'bot' && operation !== 'handoff')) return false;
      return (
        asked.epoch !== epoch ||
        (operation === 'bot' && (control === 'HUMAN' || (control === 'NONE' && opened?.whileWaiting === 'SILENT')))
      );
    }
    case 'NO_LIVE_HANDOFF':
      return operation === 'cancel';
    case 'SESSION_CLOSED':
      return isClosing && operation !== 'open' && operation !== 'close';
    default:
      return false;
  }
}
