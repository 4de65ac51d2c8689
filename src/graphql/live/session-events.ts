import { InvalidInputError, NotFoundError } from '../../core/errors';
import type { EventRecord } from '../../core/event';
import type { Scope } from '../../core/flows/api/scope';
import type { SessionRecord } from '../../core/session';
import { type WakeSignal, createIterator } from './wake-signal';
import type { LiveSources } from './live-sources';
import type { ReadPosition } from './session-poller';

const BATCH_SIZE = 100;

export interface SessionEventItem {
  readonly seq: number;
  readonly snapshot: SessionRecord | null;
  readonly event: EventRecord | null;
}

/**
 * Follows one session. Without `after`: first the current session, then every later event. With `after`: only the
 * events after that number, so that a client that stores each `seq` never stores one ahead of an event that it lacks.
 * @throws NotFoundError SESSION_NOT_FOUND
 * @throws InvalidInputError CURSOR_INVALID, CURSOR_EXPIRED
 */
export function sessionEvents(
  sources: LiveSources,
  scope: Scope,
  sessionId: string,
  after: number | null,
): Promise<AsyncIterableIterator<SessionEventItem>> {
  const reading: ReadPosition = { seq: 0 };
  const wakeSignal = sources.sessionPoller.createSignal(scope, sessionId, reading);
  const prepare = async (): Promise<SessionRecord> => {
    const snapshot = await requireSession(sources, scope, sessionId);
    reading.seq = validateSeq(after, snapshot);
    return snapshot;
  };
  return createIterator(wakeSignal, prepare, async function* (snapshot) {
    if (after === null) yield { seq: snapshot.lastEventSeq, snapshot, event: null };
    for await (const event of eventsAfter(sources, scope, sessionId, reading, wakeSignal))
      yield { seq: event.seq, snapshot: null, event };
  });
}

/** Yields every event after the position, in order, until the signal is closed. */
export async function* eventsAfter(
  sources: LiveSources,
  scope: Scope,
  sessionId: string,
  reading: ReadPosition,
  wakeSignal: WakeSignal,
): AsyncGenerator<EventRecord, void> {
  while (!wakeSignal.isClosed) {
    const events = await sources.stores.events.listBySession(scope.organizationId, sessionId, reading.seq, BATCH_SIZE);
    for (const event of events) {
      yield event;
      reading.seq = event.seq;
    }
    if (events.length < BATCH_SIZE) await wakeSignal.wait();
  }
}

/**
 * Yields the same events, grouped by transaction. A transaction becomes visible as a whole, so its events are complete
 * unless a full page ends within them.
 */
export async function* transactionsAfter(
  sources: LiveSources,
  scope: Scope,
  sessionId: string,
  reading: ReadPosition,
  wakeSignal: WakeSignal,
): AsyncGenerator<readonly EventRecord[], void> {
  let open: EventRecord[] = [];
  while (!wakeSignal.isClosed) {
    const page = await sources.stores.events.listBySession(scope.organizationId, sessionId, reading.seq, BATCH_SIZE);
    for (const event of page) {
      if (open.length > 0 && open[0]!.position !== event.position) {
        yield open;
        open = [];
      }
      open.push(event);
      reading.seq = event.seq;
    }
    if (page.length === BATCH_SIZE) continue;
    if (open.length > 0) yield open;
    open = [];
    await wakeSignal.wait();
  }
}

/** @throws NotFoundError SESSION_NOT_FOUND for an unknown or foreign id */
export async function requireSession(sources: LiveSources, scope: Scope, sessionId: string): Promise<SessionRecord> {
  const session = await sources.stores.sessions.get(scope.organizationId, sessionId);
  if (!session)
    throw new NotFoundError(
      'SESSION_NOT_FOUND',
      'sessionId',
      `Session ${sessionId} does not exist in your organization. Open one with openSupportSession.`,
    );
  return session;
}

/**
 * Returns the number after which to read; for null, that of the last event.
 * @throws InvalidInputError CURSOR_INVALID for a number that no event of the session has had, CURSOR_EXPIRED if events
 * after it were removed
 */
export function validateSeq(after: number | null, session: SessionRecord): number {
  if (after === null) return session.lastEventSeq;
  if (after < 0 || after > session.lastEventSeq)
    throw new InvalidInputError(
      'CURSOR_INVALID',
      'after',
      `after is ${after}, but the session has events 1 to ${session.lastEventSeq}.`,
    );
  if (after < (session.removedHistory?.eventSeq ?? 0))
    throw new InvalidInputError(
      'CURSOR_EXPIRED',
      'after',
      `after is ${after}, but events up to ${session.removedHistory!.eventSeq} were removed. Subscribe without after; the snapshot has the current state.`,
    );
  return after;
}
