import { groupBySession, groupedBy, type SessionEvidence } from './session-evidence';
import { checkActivity, checkDeadLetters } from './check-activity';
import { checkCalls } from './check-calls';
import { checkNotices, checkStuck } from './check-handoffs';
import { checkLines } from './check-lines';
import { checkNotes } from './check-notes';
import { checkOrder } from './check-order';
import type { Control, Evidence, RemoteMessage } from './evidence';

export const COLUMNS = [
  'lost',
  'doubled',
  'out of order',
  'bot over human',
  'notes leaked',
  'stuck handoffs',
  'unanswered',
  'refused',
  'dead letters',
  'idle',
] as const;
export type Column = (typeof COLUMNS)[number];
/** `session` is null for findings about the whole run. */
export interface Finding {
  readonly column: Column;
  readonly session: string | null;
  readonly what: string;
}

/**
 * Judges a finished run. Uses only the evidence: the state of both remotes and the log of invocations.
 * docs/reliability.md explains the columns.
 */
export function checkEvidence(evidence: Evidence): readonly Finding[] {
  const cases = groupBySession(evidence);
  return [
    ...cases.flatMap(one => [
      ...checkProviderCopies(one),
      ...checkRuntimeCopies(one),
      ...checkLines(one),
      ...checkNotes(one),
      ...checkOrder(one),
      ...checkOneVoice(one),
      ...checkLeakedNotes(one),
      ...checkNotices(one),
      ...checkStuck(one),
    ]),
    ...checkCalls(evidence),
    ...checkDeadLetters(evidence, cases),
    ...checkActivity(evidence, cases),
  ];
}

const finding = ({ session }: SessionEvidence, column: Column, what: string): Finding => ({ column, session, what });

/** Counts how often agents see a text: as a message, or as a line of the transcript file. */
export const countOccurrences = (lines: readonly RemoteMessage[], text: string): number =>
  lines.reduce(
    (sum, line) =>
      sum +
      (line.text === text ? 1 : 0) +
      (line.file === null ? 0 : line.file.split('\n').filter(one => one.trim() === text).length),
    0,
  );

/** Checks the messages of end-user and bot in Chatwoot. */
function checkProviderCopies(one: SessionEvidence): readonly Finding[] {
  const found: Finding[] = [];
  const openedAgain = one.received.filter(
    ({ notice }) => notice.kind === 'state' && notice.state === 'REQUESTED',
  ).length;
  if (one.conversations.length > 1 + openedAgain)
    found.push(finding(one, 'doubled', `${one.conversations.length} conversations of one session`));
  const mustShow = createDeliveryRule(one);
  for (const message of one.messages) {
    const times = Math.max(0, ...one.conversations.map(({ lines }) => countOccurrences(lines, message.text)));
    if (times > 1) found.push(finding(one, 'doubled', `${message.text} was posted ${times} times`));
    if (message.contradicts)
      found.push(finding(one, 'doubled', `${message.text} got two different responses under one key`));
    if (times === 0 && message.answer?.refused === null && mustShow(message.answeredAt!))
      found.push(finding(one, 'lost', `${message.text} was acknowledged and never shown to agents`));
    if (times === 1 && message.answer?.refused != null)
      found.push(finding(one, 'doubled', `${message.text} was refused and posted all the same`));
  }
  const said = new Set(one.messages.map(({ text }) => text));
  for (const { by, isPrivate, text } of one.lines)
    if ((by === 'endUser' || by === 'bot') && !isPrivate && !said.has(text))
      found.push(finding(one, 'doubled', `${text} was posted and never said in this session`));
  return found;
}

/**
 * Returns whether a message acknowledged at this place of the log must be in Chatwoot by now. With mirroring ALWAYS,
 * every message must. With ON_HANDOFF, those before a handoff that the provider accepted (its QUEUED was received, and
 * the history is forwarded before that), and all of them if agents have the session at the end.
 */
function createDeliveryRule({ opened, log, received, final }: SessionEvidence): (answeredAt: number) => boolean {
  if (opened.mirroring === 'ALWAYS') return () => true;
  if (final?.handoff && final.handoff.state !== 'REQUESTED' && final.handoff.state !== 'ENDING') return () => true;
  const accepted = new Set(
    received.flatMap(({ notice }) => (notice.kind === 'state' && notice.state === 'QUEUED' ? [notice.handoffId] : [])),
  );
  const requests = log.flatMap(({ entry }) =>
    entry.kind === 'answered' &&
    entry.operation === 'handoff' &&
    entry.handoffId !== null &&
    accepted.has(entry.handoffId)
      ? [entry]
      : [],
  );
  const keys = new Set(requests.map(({ key }) => key));
  // A request that found a live handoff joins it, so only the first request with a handoff's id began it.
  const began = new Map<string, number>();
  for (const { place, entry } of log)
    if (entry.kind === 'asked' && entry.operation === 'handoff' && keys.has(entry.key)) {
      const { handoffId } = requests.find(({ key }) => key === entry.key)!;
      if (!began.has(handoffId!)) began.set(handoffId!, place);
    }
  const last = Math.max(-1, ...began.values());
  return answeredAt => answeredAt < last;
}

/**
 * Checks the messages of agents and of the policy at the runtime. A delivery may arrive many times; after deduplication
 * each text must be there once.
 */
function checkRuntimeCopies(one: SessionEvidence): readonly Finding[] {
  const found: Finding[] = [];
  const messages = one.received.flatMap(({ notice }) => (notice.kind === 'message' ? [notice] : []));
  const heard = groupedBy(
    messages.filter(({ author }) => author === 'AGENT'),
    ({ text }) => text,
  );
  const said = one.lines.filter(({ by, isPrivate }) => by === 'agent' && !isPrivate);
  for (const { text } of said)
    if (!heard.has(text)) found.push(finding(one, 'lost', `${text} was said by an agent and never received`));
  const words = new Set(said.map(({ text }) => text));
  for (const text of heard.keys())
    if (!words.has(text)) found.push(finding(one, 'doubled', `${text} was received and never said in this session`));
  for (const [text, times] of heard)
    if (times.length > 1) found.push(finding(one, 'doubled', `${text} was received as ${times.length} deliveries`));

  const outcomes = groupedBy(
    one.received.flatMap(({ notice }) => (notice.kind === 'outcome' ? [notice] : [])),
    ({ handoffId }) => handoffId,
  );
  for (const [id, times] of outcomes)
    if (times.length > 1) found.push(finding(one, 'doubled', `handoff ${id} has ${times.length} outcomes`));
  return found;
}

/**
 * Checks that the bot never speaks while a human has control. Epochs decide this, as in the service under the session's
 * lock:
 * 1. The epoch of a bot message that the end-user was shown never had control HUMAN in any response, and one epoch
 *   never has two controls. Control NONE lets a bot speak only if the policy permits it.
 * 2. An agent's message means that agents have control from then on. So between the last bot message before it and the
 *   first one after it (by message number) there are at least two changes of control: to the human, and back. Late
 *   messages prove nothing (`lateWordsOf`).
 * 3. A message that was refused, or became a suggestion, is never public.
 */
function checkOneVoice(one: SessionEvidence): readonly Finding[] {
  const found: Finding[] = [];
  const controls = controlByEpoch(one, (epoch, controls) =>
    found.push(finding(one, 'bot over human', `epoch ${epoch} was reported as ${controls.join(' and ')}`)),
  );
  const spoken = one.messages.flatMap(({ by, text, answer, epoch }) =>
    by === 'bot' && answer?.delivered === true ? [{ text, epoch: epoch!, seq: answer.seq! }] : [],
  );
  for (const { text, epoch } of spoken) {
    const control = controls.get(epoch);
    if (control === 'HUMAN' || (control === 'NONE' && one.opened.whileWaiting === 'SILENT'))
      found.push(finding(one, 'bot over human', `${text} was let through at epoch ${epoch}, which is ${control}`));
  }

  const late = lateMessagesOf(one);
  const words = one.received.flatMap(({ notice }) =>
    notice.kind === 'message' && notice.author === 'AGENT' && !late.has(notice.messageId) ? [notice] : [],
  );
  const bySeq = [...spoken].sort((a, b) => a.seq - b.seq);
  for (const word of words) {
    const before = bySeq.filter(({ seq }) => seq < word.seq).at(-1);
    const after = bySeq.find(({ seq }) => seq > word.seq);
    if (after && after.epoch < (before?.epoch ?? 1) + 2)
      found.push(
        finding(one, 'bot over human', `${after.text} follows ${word.text} without control having been given back`),
      );
  }

  const held = new Set(
    one.messages
      .filter(({ by, answer }) => by === 'bot' && answer !== null && answer.delivered !== true)
      .map(({ text }) => text),
  );
  for (const { text, isPrivate } of one.lines)
    if (!isPrivate && held.has(text))
      found.push(finding(one, 'bot over human', `${text} was held back and is public all the same`));
  return found;
}

/**
 * How long the conversation of an ended handoff may stay with the agents before the service returns it;
 * docs/architecture.md.
 */
const RETURN_LIMIT_MS = 60_000;

/** How long a handoff that the runtime ends waits for a sync of the agents' last messages; docs/architecture.md. */
const END_SYNC_MS = 5_000;

/**
 * Returns the agents' messages that arrived after their handoff's end, because no sync found them in time. They start
 * nothing. A message counts as late only if the runtime itself had ended that handoff, and if it was said before the
 * conversation can have been returned. A message from before the end counts only if the outcome waited for a sync for
 * its full time.
 */
function lateMessagesOf({ lateMessages, log, received }: SessionEvidence): ReadonlySet<string> {
  const askedAt = new Map<string, number>();
  const begunAt = new Map<string, number>();
  for (const { entry } of log) {
    if (entry.kind === 'asked' && entry.operation === 'cancel' && !askedAt.has(entry.key))
      askedAt.set(entry.key, entry.at);
    if (
      entry.kind === 'answered' &&
      entry.operation === 'cancel' &&
      entry.refused === null &&
      entry.handoffId !== null &&
      !begunAt.has(entry.handoffId)
    )
      begunAt.set(entry.handoffId, askedAt.get(entry.key) ?? entry.at);
  }
  const outcomeAt = new Map<string, number>();
  for (const { at, notice } of received)
    if (notice.kind === 'outcome' && (notice.reason === 'BOT_CANCELLED' || notice.reason === 'USER_ENDED'))
      outcomeAt.set(notice.handoffId, Math.min(at, outcomeAt.get(notice.handoffId) ?? at));
  /** True if the message preceded the request to end, and the outcome arrived before the sync's time limit. */
  const isTooSoon = (handoffId: string, said: number): boolean =>
    said < (begunAt.get(handoffId) ?? 0) &&
    (outcomeAt.get(handoffId) ?? Infinity) < begunAt.get(handoffId)! + END_SYNC_MS;
  const endedAt = new Map(
    log.flatMap(({ entry }) =>
      entry.kind === 'answered' && entry.operation === 'cancel' && entry.refused === null && entry.handoffId !== null
        ? [[entry.handoffId, entry.at] as const]
        : [],
    ),
  );
  const textOf = new Map(
    received.flatMap(({ notice }) => (notice.kind === 'message' ? [[notice.messageId, notice.text] as const] : [])),
  );
  const saidAt = new Map(
    log.flatMap(({ entry }) =>
      entry.kind === 'agent' && entry.text !== null ? [[entry.text, entry.at] as const] : [],
    ),
  );
  return new Set(
    lateMessages.flatMap(({ messageId, handoffId }) => {
      const [ended, said] = [endedAt.get(handoffId), saidAt.get(textOf.get(messageId) ?? '')];
      return ended !== undefined && said !== undefined && said <= ended + RETURN_LIMIT_MS && !isTooSoon(handoffId, said)
        ? [messageId]
        : [];
    }),
  );
}

function controlByEpoch(
  one: SessionEvidence,
  onContradiction: (epoch: number, controls: readonly Control[]) => void,
): ReadonlyMap<number, Control> {
  const seen = new Map<number, Set<Control>>();
  const note = (epoch: number | null, control: Control | null) => {
    if (epoch !== null && control !== null) seen.set(epoch, (seen.get(epoch) ?? new Set()).add(control));
  };
  for (const { entry } of one.log)
    if (entry.kind === 'answered' || entry.kind === 'final') note(entry.epoch, entry.control);
  for (const { epoch, control } of one.raw) note(epoch, control);
  for (const [epoch, controls] of seen) if (controls.size > 1) onContradiction(epoch, [...controls]);
  return new Map([...seen].map(([epoch, controls]) => [epoch, controls.has('HUMAN') ? 'HUMAN' : [...controls][0]!]));
}

/**
 * Compares every private text in Chatwoot, agents' notes and the bot's suggestions, with every text that a runtime
 * received.
 */
function checkLeakedNotes(one: SessionEvidence): readonly Finding[] {
  const texts = one.raw.flatMap(({ notice }) => (notice.kind === 'message' ? [notice.text] : []));
  const secrets = new Set(
    one.lines.filter(({ isPrivate, file }) => isPrivate && file === null).map(({ text }) => text),
  );
  return [...secrets]
    .filter(secret => secret !== '' && texts.some(text => text.includes(secret)))
    .map(secret => finding(one, 'notes leaked', `${secret} reached the runtime`));
}
