import { type Control, botMayAnswer } from '../../core/control';
import type { EventRecord } from '../../core/event';
import type { Scope } from '../../core/flows/api';
import type { HandoffRecord, HandoffState } from '../../core/handoff';
import { instantOf } from '../../core/ports/clock';
import type { Forgotten, SessionRecord } from '../../core/session';
import { follow, type LiveSources } from './follow';
import { checkedSeq, eventsAfter, existingSession } from './session-events';
import type { Reading } from './session-rounds';

/** What one change of a conversation left behind. */
export interface ConversationStatus {
  readonly sessionId: string;
  readonly seq: number;
  readonly at: string;
  readonly isSnapshot: boolean;
  readonly control: Control;
  readonly epoch: number;
  readonly mayReply: boolean;
  readonly isClosed: boolean;
  /** The live handoff, or the one whose end was told last. */
  readonly handoffId: string | null;
  readonly handoffState: HandoffState | null;
  readonly cause: string | null;
}

type Facts = Pick<ConversationStatus, 'control' | 'epoch' | 'isClosed' | 'handoffId' | 'handoffState'>;
const AT_OPENING: Facts = { control: 'BOT', epoch: 1, isClosed: false, handoffId: null, handoffState: null };

/** First the state now, then the state after each change of control or handoff behind `after`. */
export function conversationStatus(sources: LiveSources, scope: Scope, sessionId: string, after: number | null): Promise<AsyncIterableIterator<ConversationStatus>> {
  const reading: Reading = { seq: 0 };
  const bell = sources.rounds.bell(scope, sessionId, reading);

  const status = async (facts: Facts, session: SessionRecord, rest: Pick<ConversationStatus, 'seq' | 'at' | 'isSnapshot' | 'cause'>): Promise<ConversationStatus> => {
    const inbox = await sources.stores.setup.inbox(scope.organizationId, session.inboxId);
    const mayReply = !facts.isClosed && botMayAnswer(facts.control, inbox?.policy.whileWaiting ?? 'HOLD');
    return { sessionId, ...facts, mayReply, ...rest };
  };

  const prepare = async (): Promise<Moment> => {
    const moment = await consistent(sources, scope, sessionId);
    reading.seq = checkedSeq(after, moment.session);
    return moment;
  };
  return follow(bell, prepare, async function* ({ session, handoff }) {
    let facts: Facts = {
      control: session.control, epoch: session.epoch, isClosed: session.closedAt !== null,
      handoffId: handoff?.id ?? null, handoffState: handoff?.state ?? null,
    };
    yield await status(facts, session, { seq: session.lastEventSeq, at: instantOf(sources.clock.now()), isSnapshot: true, cause: null });
    if (reading.seq < session.lastEventSeq) facts = await factsAt(sources, scope, session, reading.seq);
    for await (const event of eventsAfter(sources, scope, sessionId, reading, bell)) {
      const next = applied(facts, event);
      if (next === facts) continue;
      facts = next;
      yield await status(facts, session, { seq: event.seq, at: event.at, isSnapshot: false, cause: 'cause' in event.body ? event.body.cause : event.body.type });
    }
  });
}

interface Moment { readonly session: SessionRecord; readonly handoff: HandoffRecord | null }

/** Session and live handoff of one moment: read again until no event came between the two readings. */
async function consistent(sources: LiveSources, scope: Scope, sessionId: string): Promise<Moment> {
  for (let session = await existingSession(sources, scope, sessionId); ;) {
    const handoff = session.liveHandoffId === null ? null : await sources.stores.handoffs.get(scope.organizationId, session.liveHandoffId);
    const again = await existingSession(sources, scope, sessionId);
    if (again.lastEventSeq === session.lastEventSeq) return { session, handoff };
    session = again;
  }
}

/** The state as of an earlier event, from the Session's history. */
async function factsAt(sources: LiveSources, scope: Scope, { id, forgotten }: SessionRecord, seq: number): Promise<Facts> {
  let facts: Facts = forgotten === null ? AT_OPENING : factsIn(forgotten);
  for (let seen = forgotten?.eventSeq ?? 0; seen < seq;) {
    const events = await sources.stores.events.ofSession(scope.organizationId, id, seen, Math.min(500, seq - seen));
    if (events.length === 0) break;
    for (const event of events) facts = applied(facts, event);
    seen = events.at(-1)!.seq;
  }
  return facts;
}

const factsIn = ({ control, epoch, isClosed, handoffId, handoffState }: Forgotten): Facts => ({ control, epoch, isClosed, handoffId, handoffState });

/** The same object when the event changes nothing of the status. */
export function applied(facts: Facts, { body, handoffId }: Pick<EventRecord, 'body' | 'handoffId'>): Facts {
  switch (body.type) {
    case 'CONTROL_CHANGED': return { ...facts, control: body.control, epoch: body.epoch };
    case 'HANDOFF_CHANGED': return { ...facts, handoffId, handoffState: body.to };
    case 'SESSION_CLOSED': return { ...facts, isClosed: true };
    default: return facts;
  }
}
