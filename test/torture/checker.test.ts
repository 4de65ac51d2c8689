import { checkEvidence, type Column } from '../../scripts/torture/check-evidence';
import {
  LINES,
  type DeadLetter,
  type RemoteMessage,
  type Invocation,
  type Lines,
  type Received,
} from '../../scripts/torture/evidence';
import { copyOf, linesOf, soundHistory, Story, type Draft } from './evidence-of';

/** About the sessions, in histories too short for a whole run. */
const inSessions = (draft: Draft) => checkEvidence(draft).filter(({ session }) => session !== null);
const columns = (draft: Draft): Column[] => [...new Set(inSessions(draft).map(({ column }) => column))];
const SOUND = soundHistory();

it('reports nothing for a correct history', () => {
  expect(checkEvidence(SOUND)).toEqual([]);
});

const lineAt = (draft: Draft, text: string): number => linesOf(draft).findIndex(line => line.text === text);
const wordAt = (draft: Draft, text: string): number =>
  draft.received.findIndex(({ notice }) => notice.kind === 'message' && notice.text === text);
const again = (received: Received): Received => ({ ...received, deliveryId: `${received.deliveryId}-again` });
const answerTo = (draft: Draft, key: string): { entry: Extract<Invocation, { kind: 'answered' }>; place: number } => {
  const place = draft.log.findIndex(entry => entry.kind === 'answered' && entry.key === key);
  return { entry: draft.log[place] as Extract<Invocation, { kind: 'answered' }>, place };
};
function edit(draft: Draft, key: string, change: Partial<Extract<Invocation, { kind: 'answered' }>>): void {
  const { entry, place } = answerTo(draft, key);
  draft.log[place] = { ...entry, ...change };
}
function swap<T>(items: T[], one: number, other: number): void {
  [items[one], items[other]] = [items[other]!, items[one]!];
}

describe.each<[Column, readonly [string, (draft: Draft) => void][]]>([
  [
    'lost',
    [
      [
        'an acknowledged message of the end-user is missing at the agents',
        draft => linesOf(draft).splice(lineAt(draft, '[u3]'), 1),
      ],
      [
        "a bot line that the end-user saw is not at the agents'",
        draft => linesOf(draft).splice(lineAt(draft, '[b4]'), 1),
      ],
      ["a suggestion is not at the agents'", draft => linesOf(draft).splice(lineAt(draft, '[b3]'), 1)],
      ['a whole conversation is gone', draft => draft.remote.splice(0, 1)],
      [
        "an agent's message never reached the runtime",
        draft => {
          linesOf(draft).push({ id: 99, by: 'agent', isPrivate: false, text: '[a3]', file: null });
        },
      ],
    ],
  ],
  [
    'doubled',
    [
      ['a message is there twice', draft => linesOf(draft).push({ ...linesOf(draft)[lineAt(draft, '[u4]')]!, id: 99 })],
      [
        'a message is there and in the file with the beginning',
        draft =>
          linesOf(draft).unshift({
            id: 0,
            by: 'bot',
            isPrivate: true,
            text: 'The first messages',
            file: '[1] End-user:\n  [u1]\n',
          }),
      ],
      ['a session has two conversations', draft => draft.remote.push({ ...draft.remote[0]!, id: 2, lines: [] })],
      [
        "an agent's message came as two deliveries",
        draft => draft.received.push(again(draft.received[wordAt(draft, '[a2]')]!)),
      ],
      [
        'a handoff has two outcomes',
        draft => draft.received.push(again(draft.received.find(({ notice }) => notice.kind === 'outcome')!)),
      ],
      [
        'a colleague was promised twice',
        draft => draft.received.push(again(draft.received[wordAt(draft, LINES.queued)]!)),
      ],
      [
        "another session's message is there",
        draft => linesOf(draft).push({ id: 99, by: 'bot', isPrivate: false, text: '[of somebody else]', file: null }),
      ],
      [
        "another session's message came",
        draft =>
          draft.received.push({
            ...again(draft.received[wordAt(draft, '[a2]')]!),
            notice: { kind: 'message', author: 'AGENT', messageId: 'x', seq: 99, text: '[of somebody else]' },
          }),
      ],
      [
        'a refused message is there as a note',
        draft => linesOf(draft).push({ id: 99, by: 'bot', isPrivate: true, text: '[b2]', file: null }),
      ],
      ['one key got two different results', draft => draft.log.push({ ...answerTo(draft, '[u1]').entry, seq: 77 })],
    ],
  ],
  [
    'out of order',
    [
      [
        'two messages are there in reverse order',
        draft => swap(linesOf(draft), lineAt(draft, '[u1]'), lineAt(draft, '[b1]')),
      ],
      [
        "an author's numbers fall",
        draft => {
          edit(draft, '[u1]', { seq: 3 });
          edit(draft, '[u2]', { seq: 1 });
          swap(linesOf(draft), lineAt(draft, '[u1]'), lineAt(draft, '[u2]'));
        },
      ],
      [
        'two messages came in reverse order',
        draft => swap(draft.received, wordAt(draft, '[a1]'), wordAt(draft, '[a2]')),
      ],
      [
        'the outcome came before the last message',
        draft =>
          swap(
            draft.received,
            wordAt(draft, '[a2]'),
            draft.received.findIndex(({ notice }) => notice.kind === 'outcome'),
          ),
      ],
      [
        'a handoff moved after its outcome',
        draft =>
          draft.received.push({
            ...again(draft.received[0]!),
            notice: { kind: 'state', handoffId: 'h-1', state: 'ACTIVE' },
          }),
      ],
    ],
  ],
  [
    'bot over human',
    [
      ['a bot message was forwarded at an epoch of the agents', draft => edit(draft, '[b4]', { control: 'HUMAN' })],
      [
        'a bot line was let through while somebody is waited for',
        draft => {
          edit(draft, '[b4]', { epoch: 5, control: 'NONE' });
          const asked = draft.log.findIndex(entry => entry.kind === 'asked' && entry.key === '[b4]');
          draft.log[asked] = { ...draft.log[asked], epoch: 2 } as Invocation;
        },
      ],
      ['one epoch belonged to two', draft => edit(draft, '[u1]', { epoch: 3 })],
      [
        "a bot message followed an agent's message under the old epoch",
        draft => {
          const { entry } = answerTo(draft, '[b1]');
          const asked = draft.log.find(one => one.kind === 'asked' && one.key === '[b1]')!;
          draft.log.push({ ...asked, key: '[b9]', text: '[b9]' } as Invocation, { ...entry, key: '[b9]', seq: 8 });
          linesOf(draft).push({ id: 50, by: 'bot', isPrivate: false, text: '[b9]', file: null });
        },
      ],
      [
        'a refused line stands there in public',
        draft => linesOf(draft).push({ id: 99, by: 'bot', isPrivate: false, text: '[b2]', file: null }),
      ],
      [
        'a suggestion stands there in public',
        draft => {
          const place = lineAt(draft, '[b3]');
          linesOf(draft)[place] = { ...linesOf(draft)[place]!, isPrivate: false };
        },
      ],
    ],
  ],
  [
    'notes leaked',
    [
      [
        'a note came as a message',
        draft =>
          draft.received.push({
            ...again(draft.received[wordAt(draft, LINES.queued)]!),
            notice: { kind: 'message', author: 'SYSTEM', messageId: 'x', seq: 99, text: '[n1]' },
          }),
      ],
      [
        'a note came within another text',
        draft => {
          const place = wordAt(draft, LINES.queued);
          const before = draft.received[place]!;
          draft.received[place] = {
            ...before,
            notice: { ...before.notice, text: 'she wrote: [n1]' } as Received['notice'],
          };
        },
      ],
      [
        'a suggestion came as a message',
        draft =>
          draft.received.push({
            ...again(draft.received[wordAt(draft, LINES.queued)]!),
            notice: { kind: 'message', author: 'BOT', messageId: 'x', seq: 99, text: '[b3]' },
          }),
      ],
    ],
  ],
  [
    'stuck handoffs',
    [
      [
        'a handoff is over without an outcome',
        draft =>
          draft.received.splice(
            draft.received.findIndex(({ notice }) => notice.kind === 'outcome'),
            1,
          ),
      ],
      ['a handoff stays in the middle of its end', draft => stay(draft, 'ENDING', 'open')],
      ['a handoff stays requested', draft => stay(draft, 'REQUESTED', 'open')],
      ['a handoff is live over a conversation that agents have left', draft => stay(draft, 'ACTIVE', 'resolved')],
      [
        'control does not follow',
        draft => {
          draft.log[draft.log.length - 1] = { ...draft.log.at(-1), control: 'HUMAN' } as Invocation;
        },
      ],
      ['the final state was not read', draft => draft.log.pop()],
    ],
  ],
])('a planted fault of the column "%s"', (column, plants) => {
  it.each(plants)('is found: %s', (_what, plant) => {
    const draft = copyOf(SOUND);
    plant(draft);
    expect(columns(draft)).toContain(column);
  });
});

/** The handoff is still there in place of its outcome. */
function stay(draft: Draft, state: string, status: 'open' | 'resolved'): void {
  draft.received.splice(
    draft.received.findIndex(({ notice }) => notice.kind === 'outcome'),
    1,
  );
  draft.log[draft.log.length - 1] = {
    ...draft.log.at(-1),
    control: state === 'REQUESTED' ? 'NONE' : 'HUMAN',
    epoch: 9,
    handoff: { id: 'h-1', state },
  } as Invocation;
  draft.remote[0] = { ...draft.remote[0]!, status };
}

describe('unusual but correct histories', () => {
  it('a message without a response may exist or not', () => {
    const draft = copyOf(SOUND);
    draft.log.splice(answerTo(draft, '[u3]').place, 1);
    expect(columns(draft)).toEqual(['unanswered']);
    linesOf(draft).splice(lineAt(draft, '[u3]'), 1);
    expect(columns(draft)).toEqual(['unanswered']);
  });

  it('with mirroring ON_HANDOFF, what was said without a handoff need not exist at the provider', () => {
    const story = () => new Story({ mirroring: 'ON_HANDOFF' }).user('[u1]', 'BOT', 1, false);
    expect(inSessions(story().end('pending', 'BOT', 1))).toEqual([]);
    const accepted = story()
      .asks('h-1', 'NONE', 2)
      .queued('h-1', 2)
      .outcome('h-1', 'BOT_CANCELLED', 'BOT', 3)
      .end('pending', 'BOT', 3);
    expect(columns(accepted)).toEqual(['lost']);
  });

  it('a bot may speak while an agent is awaited, where the policy allows it', () => {
    const spoken = (whileWaiting: 'SILENT' | 'BOT_MAY_ANSWER') =>
      new Story({ whileWaiting })
        .asks('h-1', 'NONE', 2)
        .queued('h-1', 2)
        .bot('[b1]', 2, 'NONE')
        .end('open', 'NONE', 2, { id: 'h-1', state: 'QUEUED' });
    expect(inSessions(spoken('BOT_MAY_ANSWER'))).toEqual([]);
    expect(columns(spoken('SILENT'))).toEqual(['bot over human']);
  });

  describe('a message that was found after the runtime had ended its handoff', () => {
    const MINUTE_MS = 60_000;
    const ended = ({ isCancelled = true, isLate = true } = {}) => {
      const story = new Story().asks('h-1', 'NONE', 2).queued('h-1', 2).agent('reply', 'open', '[a1]');
      if (isCancelled) story.cancels('h-1', 'NONE', 2);
      story.outcome('h-1', 'BOT_CANCELLED', 'BOT', 3).bot('[b1]', 3);
      return (isLate ? story.lateWord('h-1', '[a1]', 'BOT', 3) : story.word('[a1]', 'BOT', 3))
        .bot('[b2]', 3)
        .end('pending', 'BOT', 3);
    };
    const saidAt = (draft: Draft, at: number) => {
      const place = draft.log.findIndex(entry => entry.kind === 'agent');
      draft.log[place] = { ...draft.log[place]!, at };
      return draft;
    };

    it('starts nothing', () => {
      expect(inSessions(ended())).toEqual([]);
      expect(inSessions(saidAt(ended(), MINUTE_MS))).toEqual([]);
    });

    /** The end was requested at 10 s. */
    const withOutcomeAt = (draft: Draft, said: number, outcome: number) => {
      draft.log = draft.log.map(entry =>
        entry.kind === 'asked' && entry.operation === 'cancel' ? { ...entry, at: 10_000 } : entry,
      );
      draft.received = draft.received.map(one => (one.notice.kind === 'outcome' ? { ...one, at: outcome } : one));
      return saidAt(draft, said);
    };

    it.each([
      ['was sent before that end, and the outcome waited for a sync in vain', 9_999, 15_000],
      ['was sent after that end', 10_000, 10_001],
    ])('starts nothing when it %s', (_, said, outcome) => {
      expect(inSessions(withOutcomeAt(ended(), said, outcome))).toEqual([]);
    });

    it.each([
      ['it was sent before that end, and the outcome waited for no sync', () => withOutcomeAt(ended(), 9_999, 14_999)],
      ['it was sent more than a minute after the end', () => saidAt(ended(), MINUTE_MS + 1)],
      ['nobody had ended that handoff', () => ended({ isCancelled: false })],
      ['the service does not count it to that handoff', () => ended({ isLate: false })],
    ])('gives control to agents when %s', (_, draft) => {
      expect(columns(draft())).toEqual(['bot over human']);
    });
  });

  it('a message into a resolved conversation is a takeover that ends at once', () => {
    const draft = new Story()
      .agent('reply', 'resolved', '[a1]')
      .state('h-1', 'ACTIVE', 'HUMAN', 2)
      .word('[a1]', 'HUMAN', 2)
      .outcome('h-1', 'AGENT_RESOLVED', 'BOT', 3)
      .agent('reply', 'resolved', '[a2]')
      .state('h-2', 'ACTIVE', 'HUMAN', 4)
      .word('[a2]', 'HUMAN', 4)
      .outcome('h-2', 'AGENT_RESOLVED', 'BOT', 5)
      .end('resolved', 'BOT', 5);
    expect(inSessions(draft)).toEqual([]);
  });

  it('a handoff that is cancelled before an agent had it has no promise, and may have its note', () => {
    const cancelled = () => new Story().asks('h-1', 'NONE', 2);
    expect(inSessions(cancelled().outcome('h-1', 'BOT_CANCELLED', 'BOT', 3).end('pending', 'BOT', 3))).toEqual([]);
    expect(
      inSessions(cancelled().note('h-1').outcome('h-1', 'BOT_CANCELLED', 'BOT', 3).end('pending', 'BOT', 3)),
    ).toEqual([]);
  });

  it("a request that joins a handoff is reported to agents with that handoff's first request", () => {
    const draft = new Story()
      .asks('h-1', 'NONE', 2)
      .queued('h-1', 2)
      .asks('h-1', 'NONE', 2)
      .end('open', 'NONE', 2, { id: 'h-1', state: 'QUEUED' });
    expect(inSessions(draft)).toEqual([]);
  });

  it('a takeover has no note and no promise, whoever joins or returns it', () => {
    const draft = new Story()
      .agent('take', 'pending')
      .state('h-1', 'ASSIGNED', 'HUMAN', 2)
      .asks('h-1', 'HUMAN', 2)
      .agent('drop')
      .state('h-1', 'QUEUED', 'NONE', 3)
      .end('open', 'NONE', 3, { id: 'h-1', state: 'QUEUED' });
    expect(inSessions(draft)).toEqual([]);
  });

  it('an agent who takes it before it was queued makes the promise unnecessary, not the note', () => {
    const taken = () =>
      new Story().asks('h-1', 'NONE', 2).agent('take', 'pending').state('h-1', 'ASSIGNED', 'HUMAN', 3);
    expect(inSessions(taken().note('h-1').end('open', 'HUMAN', 3, { id: 'h-1', state: 'ASSIGNED' }))).toEqual([]);
    expect(columns(taken().end('open', 'HUMAN', 3, { id: 'h-1', state: 'ASSIGNED' }))).toEqual(['lost']);
  });

  it('a handoff that is reopened after its conversation was lost has its note in both, and one promise', () => {
    const again = () =>
      new Story()
        .asks('h-1', 'NONE', 2)
        .queued('h-1', 2)
        .state('h-1', 'REQUESTED', 'NONE', 2)
        .state('h-1', 'QUEUED', 'NONE', 2);
    const draft = again().note('h-1').end('open', 'NONE', 2, { id: 'h-1', state: 'QUEUED' });
    const [first, second] = linesOf(draft);
    draft.remote = [
      { ...draft.remote[0]!, lines: [first!] },
      { ...draft.remote[0]!, id: 2, lines: [second!] },
    ];
    expect(inSessions(draft)).toEqual([]);
    const without = again().end('open', 'NONE', 2, { id: 'h-1', state: 'QUEUED' });
    expect(
      inSessions({
        ...without,
        remote: [...without.remote, { ...without.remote[0]!, id: 2 }, { ...without.remote[0]!, id: 3 }],
      }).map(({ column }) => column),
    ).toEqual(['doubled']);
  });

  it('a line that the policy leaves empty is not sent', () => {
    const withLines = (said: string | null, lines: Lines) =>
      new Story({ lines })
        .asks('h-1', 'NONE', 2)
        .note('h-1')
        .state('h-1', 'QUEUED', 'NONE', 2)
        .line(said, 'NONE', 2)
        .outcome('h-1', 'BOT_CANCELLED', 'BOT', 3, said)
        .end('pending', 'BOT', 3);
    for (const none of ['', null]) {
      expect(inSessions(withLines(none, { ...LINES, queued: none, ended: none }))).toEqual([]);
      expect(columns(withLines('[something]', { ...LINES, queued: none, ended: none }))).toEqual(['doubled']);
    }
  });

  it('nothing is sent to an end-user whose session is closed, or done for them', () => {
    const closed = (closing: string | null) =>
      new Story()
        .asks('h-1', 'NONE', 2)
        .queued('h-1', 2)
        .closes()
        .outcome('h-1', 'SESSION_CLOSED', 'BOT', 3, closing)
        .fails('user', '[u1]', 'SESSION_CLOSED')
        .end('resolved', 'BOT', 3);
    expect(inSessions(closed(null))).toEqual([]);
    expect(columns(closed(LINES.ended))).toEqual(['doubled']);
  });

  it('a cancel may find no handoff', () => {
    expect(inSessions(new Story().fails('cancel', 'USER_ENDED', 'NO_LIVE_HANDOFF').end('pending', 'BOT', 1))).toEqual(
      [],
    );
  });

  it('one delivery may arrive in several ways', () => {
    const draft = copyOf(SOUND);
    draft.received.push(...draft.received.map((one): Received => ({ ...one, via: 'query' })));
    expect(checkEvidence(draft)).toEqual([]);
  });
});

const drop = <T>(items: T[], isIt: (item: T) => boolean): void => {
  const place = items.findIndex(isIt);
  if (place < 0) throw new Error('There is nothing to take away.');
  items.splice(place, 1);
};
const isLine =
  (text: string) =>
  ({ notice }: Received): boolean =>
    notice.kind === 'message' && notice.text === text;
const isState =
  (state: string) =>
  ({ notice }: Received): boolean =>
    notice.kind === 'state' && notice.state === state;
const isNote = ({ text }: RemoteMessage): boolean => text.startsWith('Handed over');

describe.each<[Column, readonly [string, (draft: Draft) => void][]]>([
  [
    'lost',
    [
      ['the promise', draft => drop(draft.received, isLine(LINES.queued))],
      ['the closing line', draft => drop(draft.received, isLine(LINES.ended))],
      ['the context note', draft => drop(linesOf(draft), isNote)],
      ['a notice that it was queued', draft => drop(draft.received, isState('QUEUED'))],
      ['a notice that somebody has it', draft => drop(draft.received, isState('ACTIVE'))],
    ],
  ],
  [
    'doubled',
    [
      ['the promise', draft => draft.received.push(again(draft.received.find(isLine(LINES.queued))!))],
      [
        'the closing line before the outcome',
        draft => {
          const place = draft.received.findIndex(isLine(LINES.ended));
          draft.received.splice(place, 0, again(draft.received[place]!));
        },
      ],
      [
        'the closing line after the outcome',
        draft => draft.received.push(again(draft.received.find(isLine(LINES.ended))!)),
      ],
      [
        'another closing line',
        draft => {
          const place = draft.received.findIndex(isLine(LINES.ended));
          const one = draft.received[place]!;
          draft.received[place] = { ...one, notice: { ...one.notice, text: LINES.failed } as Received['notice'] };
        },
      ],
      [
        'a line that nobody has set',
        draft => {
          const one = again(draft.received.find(isLine(LINES.queued))!);
          draft.received.push({ ...one, notice: { ...one.notice, text: "[nobody's]" } as Received['notice'] });
        },
      ],
      ['the context note', draft => linesOf(draft).push({ ...linesOf(draft).find(isNote)!, id: 99 })],
      [
        "another session's context note",
        draft =>
          linesOf(draft).push({
            ...linesOf(draft).find(isNote)!,
            id: 99,
            text: 'Handed over by the bot.\nReason: [of somebody else]',
          }),
      ],
      [
        'a notice',
        draft =>
          draft.received.splice(
            draft.received.findIndex(isState('ACTIVE')),
            0,
            again(draft.received.find(isState('ACTIVE'))!),
          ),
      ],
    ],
  ],
  [
    'out of order',
    [
      [
        'notices',
        draft =>
          swap(
            draft.received,
            draft.received.findIndex(isState('QUEUED')),
            draft.received.findIndex(isState('ACTIVE')),
          ),
      ],
    ],
  ],
  [
    'stuck handoffs',
    [
      ["the handoffs' states were not recorded", draft => drop(draft.log, ({ kind }) => kind === 'moves')],
      [
        'a takeover without any notification',
        draft => {
          const moves = draft.log.find(entry => entry.kind === 'moves')!;
          draft.log[draft.log.indexOf(moves)] = {
            ...moves,
            moves: [...moves.moves, { handoffId: 'h-9', from: null, to: 'ACTIVE' }],
          };
        },
      ],
    ],
  ],
  [
    'unanswered',
    [
      [
        'a call whose caller gave up',
        draft => {
          draft.log.push({ kind: 'unanswered', at: 0, session: 's1', operation: 'user', key: '[u1]' });
        },
      ],
      ['a call of which nothing is known', draft => draft.log.splice(answerTo(draft, '[b4]').place, 1)],
      [
        'every call',
        draft => {
          draft.log = draft.log.filter(({ kind }) => kind !== 'answered');
        },
      ],
      [
        'the opening of a session',
        draft => {
          draft.log.push({
            kind: 'asked',
            at: 0,
            session: 's2',
            operation: 'open',
            key: 's2',
            text: null,
            epoch: null,
          });
        },
      ],
    ],
  ],
  [
    'refused',
    [
      ["an end-user's message", draft => edit(draft, '[u1]', { refused: 'SESSION_NOT_FOUND' })],
      ['a message of a session that nobody closed', draft => edit(draft, '[u1]', { refused: 'SESSION_CLOSED' })],
      ['a bot message at the epoch that it named', draft => edit(draft, '[b1]', { refused: 'CONTROL_LOST' })],
      ['a handoff request', draft => edit(draft, 'h1', { refused: 'NO_LIVE_HANDOFF' })],
      ['a call that still runs', draft => edit(draft, '[u4]', { refused: 'IDEMPOTENCY_IN_PROGRESS' })],
    ],
  ],
  [
    'dead letters',
    [
      ['one that waits', draft => addDeadLetter(draft, 'PARKED')],
      ['a discarded delivery', draft => addDeadLetter(draft, 'DISCARDED')],
      [
        'a delivery that only the session reports',
        draft => {
          draft.log[draft.log.length - 1] = {
            ...draft.log.at(-1),
            pending: { provider: 0, runtime: 0, parked: 1 },
          } as Invocation;
        },
      ],
      ['the dead letters were not read', draft => drop(draft.log, ({ kind }) => kind === 'deadLetters')],
    ],
  ],
  [
    'idle',
    [
      [
        'nothing happened',
        draft => {
          draft.remote = [];
          draft.received = [];
          draft.log = [];
        },
      ],
      [
        'every message was refused',
        draft => {
          draft.log = draft.log.map(entry =>
            entry.kind === 'answered' ? { ...entry, refused: 'CONTROL_LOST' } : entry,
          );
        },
      ],
      [
        'nothing was pushed',
        draft => {
          draft.received = draft.received.map(one => (one.via === 'push' ? { ...one, via: 'query' } : one));
        },
      ],
      [
        'nothing came by subscription',
        draft => {
          draft.received = draft.received.map(one => (one.via === 'subscription' ? { ...one, via: 'query' } : one));
        },
      ],
      [
        'nothing was asked for',
        draft => {
          draft.received = draft.received.map(one => (one.via === 'query' ? { ...one, via: 'push' } : one));
        },
      ],
      [
        'deliveries were pushed to a runtime without an endpoint',
        draft => {
          draft.log = draft.log.map(entry => (entry.kind === 'opened' ? { ...entry, isPushed: false } : entry));
        },
      ],
      [
        'no agent wrote anything',
        draft => {
          draft.received = draft.received.filter(
            ({ notice }) => notice.kind !== 'message' || notice.author !== 'AGENT',
          );
        },
      ],
      [
        'nobody was asked for',
        draft => {
          draft.log = draft.log.map(entry => (entry.kind === 'answered' ? { ...entry, handoffId: null } : entry));
        },
      ],
      [
        'less activity than such a long run requires',
        draft => {
          draft.log[0] = { kind: 'begun', at: 0, seconds: 600, sessions: 1 };
        },
      ],
      [
        'fewer sessions than planned',
        draft => {
          draft.log[0] = { kind: 'begun', at: 0, seconds: 0, sessions: 2 };
        },
      ],
      ['does not say how much activity was planned', draft => drop(draft.log, ({ kind }) => kind === 'begun')],
    ],
  ],
])('a planted fault of the column "%s"', (column, plants) => {
  it.each(plants)('is found: %s', (_what, plant) => {
    const draft = copyOf(SOUND);
    plant(draft);
    expect(checkEvidence(draft).map(one => one.column)).toContain(column);
  });
});

function addDeadLetter(draft: Draft, state: DeadLetter['state']): void {
  drop(draft.log, ({ kind }) => kind === 'deadLetters');
  draft.log.push({
    kind: 'deadLetters',
    at: 0,
    deadLetters: [{ session: 's1', state, destination: 'PROVIDER', what: 'POST_MESSAGE', code: 'PROVIDER_REFUSED' }],
  });
}
