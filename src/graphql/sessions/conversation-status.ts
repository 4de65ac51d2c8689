import { type Control, botMayAnswer } from '../../core/control';
import type { EventRecord } from '../../core/event';
import type { Scope } from '../../core/flows/api/scope';
import type { HandoffRecord, HandoffState } from '../../core/handoff';
import { instantOf } from '../../core/ports/clock';
import type { RemovedHistory, SessionRecord } from '../../core/session';
import { createIterator } from '../live/wake-signal';
import type { LiveSources } from '../live/live-sources';
import { validateSeq, requireSession, transactionsAfter } from '../live/session-events';
import type { ReadPosition } from '../live/session-poller';

/** The state of a conversation after one change. */
export interface ConversationStatus {
  readonly sessionId: string;
  readonly seq: number;
  readonly at: string;
  readonly isSnapshot: boolean;
  readonly control: Control;
  readonly epoch: number;
  readonly mayReply: boolean;
  readonly isClosed: boolean;
  /** The newest handoff as of this event, live or over. */
  readonly handoffId: string | null;
  readonly handoffState: HandoffState | null;
  readonly cause: string | null;
}

type StatusFacts = Pick<ConversationStatus, 'control' | 'epoch' | 'isClosed' | 'handoffId' | 'handoffState'>;
const FACTS_AT_OPENING: StatusFacts = {
  control: 'BOT',
  epoch: 1,
  isClosed: false,
  handoffId: null,
  handoffState: null,
};

/**
 * Follows control of one session. Without `after`: first the state as of the last event, then the state after each
 * change. With `after`: only the changes after that event, in order. One transaction is one change, because the states
 * between its events were never visible to any reader.
 * @throws NotFoundError SESSION_NOT_FOUND
 * @throws InvalidInputError CURSOR_INVALID, CURSOR_EXPIRED
 */
export function conversationStatus(
  sources: LiveSources,
  scope: Scope,
  sessionId: string,
  after: number | null,
): Promise<AsyncIterableIterator<ConversationStatus>> {
  const reading: ReadPosition = { seq: 0 };
  const wakeSignal = sources.sessionPoller.createSignal(scope, sessionId, reading);

  const status = async (
    facts: StatusFacts,
    session: SessionRecord,
    rest: Pick<ConversationStatus, 'seq' | 'at' | 'isSnapshot' | 'cause'>,
  ): Promise<ConversationStatus> => {
    const inbox = await sources.stores.setup.findInbox(scope.organizationId, session.inboxId);
    const mayReply = !facts.isClosed && botMayAnswer(facts.control, inbox?.policy.whileWaiting ?? 'SILENT');
    return { sessionId, ...facts, mayReply, ...rest };
  };

  const prepare = async (): Promise<ConversationMoment> => {
    const moment = await readConsistently(sources, scope, sessionId);
    reading.seq = validateSeq(after, moment.session);
    return moment;
  };
  return createIterator(wakeSignal, prepare, async function* ({ session, handoff }) {
    let facts =
      reading.seq === session.lastEventSeq
        ? factsNow(session, handoff)
        : await factsAt(sources, scope, session, reading.seq);
    if (after === null)
      yield await status(facts, session, {
        seq: session.lastEventSeq,
        at: instantOf(sources.clock.now()),
        isSnapshot: true,
        cause: null,
      });
    for await (const events of transactionsAfter(sources, scope, sessionId, reading, wakeSignal)) {
      const changed = findChange(facts, events);
      if (changed === null) continue;
      facts = changed.facts;
      const { body, seq, at } = changed.last;
      yield await status(facts, session, {
        seq,
        at,
        isSnapshot: false,
        cause: 'cause' in body ? body.cause : body.type,
      });
    }
  });
}

/**
 * Applies the events of one transaction. Returns the result and the last event that changed anything; null if none did.
 */
export function findChange(
  before: StatusFacts,
  events: readonly EventRecord[],
): { readonly facts: StatusFacts; readonly last: EventRecord } | null {
  let facts = before;
  let last: EventRecord | null = null;
  for (const event of events) {
    const next = applyEvent(facts, event);
    if (next !== facts) last = event;
    facts = next;
  }
  return last && { facts, last };
}

interface ConversationMoment {
  readonly session: SessionRecord;
  readonly handoff: HandoffRecord | null;
}

const factsNow = (session: SessionRecord, handoff: HandoffRecord | null): StatusFacts => ({
  control: session.control,
  epoch: session.epoch,
  isClosed: session.closedAt !== null,
  handoffId: handoff?.id ?? null,
  handoffState: handoff?.state ?? null,
});

/** Reads session and newest handoff of one moment: repeats the reads until no event came in between. */
async function readConsistently(sources: LiveSources, scope: Scope, sessionId: string): Promise<ConversationMoment> {
  for (let session = await requireSession(sources, scope, sessionId); ; ) {
    const [handoff] = await sources.stores.handoffs.findLastOfSessions(scope.organizationId, [session.id]);
    const again = await requireSession(sources, scope, sessionId);
    if (again.lastEventSeq === session.lastEventSeq) return { session, handoff: handoff ?? null };
    session = again;
  }
}

/** Computes the state as of an earlier event from the session's history. */
async function factsAt(
  sources: LiveSources,
  scope: Scope,
  { id, removedHistory }: SessionRecord,
  seq: number,
): Promise<StatusFacts> {
  let facts: StatusFacts = removedHistory === null ? FACTS_AT_OPENING : factsIn(removedHistory);
  for (let seen = removedHistory?.eventSeq ?? 0; seen < seq; ) {
    const events = await sources.stores.events.listBySession(scope.organizationId, id, seen, Math.min(500, seq - seen));
    if (events.length === 0) break;
    for (const event of events) facts = applyEvent(facts, event);
    seen = events.at(-1)!.seq;
  }
  return facts;
}

const factsIn = ({ control, epoch, isClosed, handoffId, handoffState }: RemovedHistory): StatusFacts => ({
  control,
  epoch,
  isClosed,
  handoffId,
  handoffState,
});

/** Applies one event. Returns the same object if the event does not change the status. */
export function applyEvent(
  facts: StatusFacts,
  { body, handoffId }: Pick<EventRecord, 'body' | 'handoffId'>,
): StatusFacts {
  switch (body.type) {
    case 'CONTROL_CHANGED':
      return { ...facts, control: body.control, epoch: body.epoch };
    case 'HANDOFF_CHANGED':
      return { ...facts, handoffId, handoffState: body.to };
    case 'SESSION_CLOSED':
      return { ...facts, isClosed: true };
    default:
      return facts;
  }
}
