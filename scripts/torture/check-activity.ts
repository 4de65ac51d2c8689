import type { SessionEvidence } from './session-evidence';
import type { Finding } from './check-evidence';
import type { Evidence } from './evidence';

/** Minimum rates per minute and session: a tenth of what a slow machine reaches. At least once in any run. */
const MIN_RATES = {
  "end-users' messages": 1,
  "bots' messages": 0.3,
  'handoffs asked for': 0.1,
  "agents' messages": 0.2,
  'receipts by query': 0.1,
  'receipts by subscription': 0.1,
} as const;
/** So rare that the shortest runs may have none. */
const MIN_ENDED_SHARE = 0.05;
/** Minimum share of pushed deliveries of a runtime with an endpoint, which only queries those that did not arrive. */
const MIN_PUSHED_SHARE = 0.25;

/** Checks that enough happened: a run with little activity proves nothing. */
export function checkActivity({ log, received }: Evidence, cases: readonly SessionEvidence[]): readonly Finding[] {
  const found: Finding[] = [];
  const add = (what: string) => found.push({ column: 'idle', session: null, what });
  const begun = log.find(entry => entry.kind === 'begun');
  if (begun === undefined) add('the log does not say how much activity was planned');
  const { sessions: sessionCount, seconds } = begun ?? { sessions: 1, seconds: 0 };
  const talkMinutes = (sessionCount * seconds) / 60;
  const expect = (what: string, count: number, least: number) => {
    if (count < least) add(`${count} ${what}; at least ${least} were expected`);
  };

  const known = new Set(cases.map(({ session }) => session));
  const pushed = new Set(cases.filter(({ opened }) => opened.isPushed).map(({ session }) => session));
  const messages = cases.flatMap(one =>
    one.messages.filter(({ answer }) => answer !== null && answer.refused === null),
  );
  const by = (via: string, sessions: ReadonlySet<string>) =>
    received.filter(one => one.via === via && sessions.has(one.session)).length;
  const happened: Readonly<Record<keyof typeof MIN_RATES, number>> = {
    "end-users' messages": messages.filter(message => message.by === 'user').length,
    "bots' messages": messages.filter(({ by: author, answer }) => author === 'bot' && answer!.delivered === true)
      .length,
    'handoffs asked for': new Set(
      log.flatMap(entry => (entry.kind === 'answered' && entry.handoffId !== null ? [entry.handoffId] : [])),
    ).size,
    "agents' messages": new Set(
      received.flatMap(({ notice }) =>
        notice.kind === 'message' && notice.author === 'AGENT' ? [notice.messageId] : [],
      ),
    ).size,
    'receipts by query': by('query', known),
    'receipts by subscription': by('subscription', known),
  };
  expect('sessions', cases.length, sessionCount);
  for (const [what, rate] of Object.entries(MIN_RATES))
    expect(what, happened[what as keyof typeof MIN_RATES], Math.max(1, Math.floor(rate * talkMinutes)));
  const ended = received.filter(({ notice }) => notice.kind === 'outcome').length;
  const toPushed = new Set(received.flatMap(({ session, deliveryId }) => (pushed.has(session) ? [deliveryId] : [])));
  expect('receipts by push', by('push', pushed), Math.max(1, Math.floor(MIN_PUSHED_SHARE * toPushed.size)));
  expect('handoffs that ended', ended, Math.floor(MIN_ENDED_SHARE * talkMinutes));
  return found;
}

/** Reports parked and discarded deliveries, whatever the cause: a run has no operator who may discard any. */
export function checkDeadLetters({ log }: Evidence, cases: readonly SessionEvidence[]): readonly Finding[] {
  const seen = log.filter(entry => entry.kind === 'deadLetters').at(-1);
  if (seen === undefined)
    return [{ column: 'dead letters', session: null, what: 'the operator did not list them at the end' }];
  const listed = new Set(seen.deadLetters.map(({ session }) => session));
  return [
    ...seen.deadLetters.map(
      ({ session, state, destination, what, code }): Finding => ({
        column: 'dead letters',
        session,
        what: `${what} to ${destination} is ${state} with ${code}`,
      }),
    ),
    ...cases.flatMap(({ session, final }): Finding[] =>
      (final?.pending.parked ?? 0) > 0 && !listed.has(session)
        ? [{ column: 'dead letters', session, what: `${final!.pending.parked} parked, and not listed` }]
        : [],
    ),
  ];
}
