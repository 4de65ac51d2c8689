import type { Evidence, RemoteConversation, RemoteMessage, Invocation, LateMessage, Move, Received } from './evidence';

type Of<Kind extends Invocation['kind']> = Extract<Invocation, { kind: Kind }>;
export type Answered = Of<'answered'>;
export type Asked = Of<'asked'>;
export type AgentActed = Of<'agent'>;

/** A message of end-user or bot: the request and its response. Numbers are places in the log. */
export interface RecordedMessage {
  readonly by: 'user' | 'bot';
  readonly text: string;
  readonly epoch: number | null;
  readonly askedAt: number;
  readonly answeredAt: number | null;
  readonly answer: Answered | null;
  /** Two responses to one key differ in a relevant field. */
  readonly contradicts: boolean;
}

/** All evidence about one session. */
export interface SessionEvidence {
  readonly session: string;
  readonly opened: Of<'opened'>;
  readonly conversations: readonly RemoteConversation[];
  readonly lines: readonly RemoteMessage[];
  /** All as they arrived, and the first of each delivery. */
  readonly raw: readonly Received[];
  readonly received: readonly Received[];
  readonly messages: readonly RecordedMessage[];
  readonly log: readonly { readonly place: number; readonly entry: Invocation }[];
  readonly final: Of<'final'> | null;
  readonly moves: readonly Move[] | null;
  readonly lateMessages: readonly LateMessage[];
}

export function groupBySession({ remote, received, log }: Evidence): readonly SessionEvidence[] {
  const entries = groupedBy(
    log.map((entry, place) => ({ place, entry })),
    ({ entry }) => ('session' in entry ? entry.session : ''),
  );
  const conversations = groupedBy(remote, ({ session }) => session);
  const deliveries = groupedBy(received, ({ session }) => session);
  return log.flatMap(opened => {
    if (opened.kind !== 'opened') return [];
    const { session } = opened;
    const own = entries.get(session) ?? [];
    const raw = deliveries.get(session) ?? [];
    const seen = new Set<string>();
    const mine = conversations.get(session) ?? [];
    const went = own
      .map(({ entry }) => entry)
      .filter(entry => entry.kind === 'moves')
      .at(-1);
    return {
      session,
      opened,
      conversations: mine,
      lines: mine.flatMap(({ lines }) => lines),
      raw,
      log: own,
      received: raw.filter(({ deliveryId }) => !seen.has(deliveryId) && seen.add(deliveryId)),
      messages: messagesOf(own),
      final:
        own
          .map(({ entry }) => entry)
          .filter(entry => entry.kind === 'final')
          .at(-1) ?? null,
      moves: went?.moves ?? null,
      lateMessages: went?.lateMessages ?? [],
    };
  });
}

function messagesOf(log: SessionEvidence['log']): readonly RecordedMessage[] {
  const answers = groupedBy(log, ({ entry }) => (entry.kind === 'answered' ? `${entry.operation} ${entry.key}` : ''));
  const asked = new Set<string>();
  return log.flatMap(({ place, entry }) => {
    if (entry.kind !== 'asked' || (entry.operation !== 'user' && entry.operation !== 'bot') || asked.has(entry.key))
      return [];
    asked.add(entry.key);
    const all = answers.get(`${entry.operation} ${entry.key}`) ?? [];
    const [first] = all;
    const answer = first === undefined ? null : (first.entry as Answered);
    return {
      by: entry.operation,
      text: entry.text!,
      epoch: entry.epoch,
      askedAt: place,
      answeredAt: first?.place ?? null,
      answer,
      contradicts: all.some(
        ({ entry: other }) => comparableResponse(other as Answered) !== comparableResponse(answer!),
      ),
    };
  });
}

const comparableResponse = ({ refused, seq, delivered }: Answered): string =>
  JSON.stringify([refused === null, seq, delivered]);

export function groupedBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
