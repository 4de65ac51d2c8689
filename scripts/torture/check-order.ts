import type { AgentActed, SessionEvidence } from './session-evidence';
import type { Finding } from './check-evidence';

const outOfOrder = ({ session }: SessionEvidence, what: string): Finding => ({ column: 'out of order', session, what });

/** Checks that both remotes have the same messages in the same order. */
export const checkOrder = (one: SessionEvidence): readonly Finding[] => [
  ...checkOrderAtProvider(one),
  ...checkOrderAtRuntime(one),
  ...checkOutcomeOrder(one),
];

/**
 * Checks that messages are in Chatwoot in the order of their numbers, and that each author's numbers ascend in the
 * order of the requests.
 */
function checkOrderAtProvider(one: SessionEvidence): readonly Finding[] {
  const found: Finding[] = [];
  const seqOf = new Map(
    one.messages.flatMap(({ text, answer }) => (answer?.seq == null ? [] : [[text, answer.seq] as const])),
  );
  for (const by of ['user', 'bot'] as const)
    rising(
      one.messages.filter(message => message.by === by && message.answer?.seq != null),
      ({ answer }) => answer!.seq!,
      ({ text }) => text,
      'has a lower number than',
    );
  const shown = one.conversations.flatMap(({ lines }) =>
    lines
      .flatMap(({ text, file }) => [...(file?.split('\n').map(line => line.trim()) ?? []), text])
      .filter(text => seqOf.has(text)),
  );
  rising(
    shown,
    text => seqOf.get(text)!,
    text => text,
    'was posted before',
  );
  return found;

  function rising<T>(
    items: readonly T[],
    numberOf: (item: T) => number,
    nameOf: (item: T) => string,
    verb: string,
  ): void {
    items.forEach((item, i) => {
      const before = items[i - 1];
      if (before !== undefined && numberOf(before) > numberOf(item))
        found.push(outOfOrder(one, `${nameOf(before)} ${verb} ${nameOf(item)}`));
    });
  }
}

/** Checks that agents' messages were received and numbered in the order in which Chatwoot has them. */
function checkOrderAtRuntime(one: SessionEvidence): readonly Finding[] {
  const found: Finding[] = [];
  const place = new Map(one.conversations.flatMap(({ lines }) => lines).map(({ text }, i) => [text, i]));
  const words = one.received.flatMap(({ notice }) =>
    notice.kind === 'message' && notice.author === 'AGENT' && place.has(notice.text) ? [notice] : [],
  );
  words.forEach((word, i) => {
    const before = words[i - 1];
    if (before === undefined) return;
    if (place.get(before.text)! > place.get(word.text)!)
      found.push(outOfOrder(one, `${before.text} was received before ${word.text}`));
    else if (before.seq > word.seq) found.push(outOfOrder(one, `${before.text} has a higher number than ${word.text}`));
  });
  return found;
}

/**
 * Checks that an outcome follows the agent's last messages. The n-th outcome that agents caused is due to their n-th
 * resolving or returning at the earliest; everything they said before that must have arrived by then. A message into a
 * resolved conversation is a cause, too: it takes over and ends at once.
 */
function checkOutcomeOrder(one: SessionEvidence): readonly Finding[] {
  const found: Finding[] = [];
  const mayBeResolvedByUs = one.log.findIndex(
    ({ entry }) => entry.kind === 'asked' && (entry.operation === 'cancel' || entry.operation === 'close'),
  );
  const acts = one.log.flatMap(({ place, entry }) =>
    entry.kind === 'agent' && entry.ok ? [{ place, act: entry }] : [],
  );
  const ends = ({ act, observedStatus }: AgentActed, place: number): boolean =>
    act === 'resolve' ||
    act === 'return' ||
    (act === 'reply' &&
      ((observedStatus !== 'open' && observedStatus !== 'snoozed') ||
        (mayBeResolvedByUs >= 0 && place > mayBeResolvedByUs)));
  const causes = acts.filter(({ act, place }) => ends(act, place));
  let outcomes = 0;
  const received = new Set<string>();
  const over = new Set<string>();
  for (const { notice } of one.received) {
    if (notice.kind === 'message') received.add(notice.text);
    if (notice.kind === 'state' && over.has(notice.handoffId))
      found.push(outOfOrder(one, `handoff ${notice.handoffId} became ${notice.state} after its outcome`));
    if (notice.kind !== 'outcome') continue;
    over.add(notice.handoffId);
    if (notice.reason !== 'AGENT_RESOLVED' && notice.reason !== 'AGENT_RETURNED') continue;
    const cause = causes[outcomes++];
    if (cause === undefined) continue;
    const missing = acts.find(
      ({ act, place }) =>
        act.act === 'reply' &&
        (place < cause.place || (place === cause.place && act.act === 'reply')) &&
        !received.has(act.text!),
    );
    if (missing)
      found.push(outOfOrder(one, `outcome of handoff ${notice.handoffId} was received before ${missing.act.text}`));
  }
  return found;
}
