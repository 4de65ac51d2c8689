import fc from 'fast-check';
import type { Flows } from '../../src/core/flows/api';
import { scope } from '../../src/testing/flow-world';
import type { Deed, Status, SimulatedConversation } from './far-side';
import type { Part, Play } from './play';
import { LEASE_MS } from './workers';

/** The state that a command may read before it runs: fast-check skips commands that are currently impossible. */
export interface CommandContext {
  readonly play: Play;
}
type Command = fc.AsyncCommand<CommandContext, Play>;

/** Creates a command. `touches`: only the remote, so that the log need not be read; or anything. */
const command = (
  name: string,
  act: (play: Play) => Promise<unknown>,
  can: (play: Play) => boolean = () => true,
  touches: 'far side' | 'anything' = 'anything',
): Command => ({
  check: ({ play }) => can(play),
  async run(_, play) {
    await act(play);
    if (touches === 'anything') await play.agree();
  },
  toString: () => name,
});

const expected = (part: Part, holds: boolean, what: string) => part.model.need(holds, what);
const codeOf = (answer: object): string | null => ('code' in answer ? String(answer.code) : null);
const who = fc.nat(1);

// ---- the runtime: its results are known in advance

const userSays = fc.tuple(who, fc.integer({ min: 0, max: 19 })).map(([at, kind]) =>
  command(`user ${at}${kind === 0 ? ' poison' : ''}`, async play => {
    const part = play.part(at);
    const text = play.text(kind === 0 ? 'poison' : 'user');
    const closed = part.model.isClosed;
    const input = { sessionId: part.id, text, attachments: [], messageId: null, idempotencyKey: play.world.nextKey() };
    const answer = await play.runtime(part, { says: 'END_USER', text }, () =>
      play.flows.recordEndUserMessage(scope, input),
    );
    expected(
      part,
      closed ? codeOf(answer) === 'SESSION_CLOSED' : 'mayReply' in answer && answer.mayReply === part.model.mayReply,
      `the end-user's word was answered ${JSON.stringify(answer)}`,
    );
  }),
);

const botSays = fc.tuple(who, fc.boolean(), fc.constantFrom('REJECT', 'SUGGEST')).map(([at, stale, onControlLost]) =>
  command(`bot ${at}${stale ? ' stale' : ''} ${onControlLost}`, async play => {
    const part = play.part(at);
    const { model } = part;
    const holds = model.mayReply && !stale;
    const text = play.text('bot');
    const input = {
      sessionId: part.id,
      text,
      attachments: [],
      messageId: null,
      onControlLost,
      epoch: model.epoch - (stale ? 1 : 0),
      idempotencyKey: play.world.nextKey(),
    } as Parameters<Flows['sendBotMessage']>[1];
    const answer = await play.runtime(part, { says: 'BOT', text }, () => play.flows.sendBotMessage(scope, input));
    const wanted = model.isClosed ? 'SESSION_CLOSED' : !holds && onControlLost === 'REJECT' ? 'CONTROL_LOST' : null;
    expected(
      part,
      codeOf(answer) === wanted && (wanted !== null || ('delivered' in answer && answer.delivered === holds)),
      `the bot's word was answered ${codeOf(answer)}, expected ${wanted} ${holds}`,
    );
  }),
);

const asks = fc.tuple(who, fc.boolean(), fc.boolean()).map(([at, toTeam, withNote]) =>
  command(`ask ${at}${toTeam ? ' team' : ''}${withNote ? ' note' : ''}`, async play => {
    const part = play.part(at);
    const { isClosed, isOpen } = part.model;
    const input = {
      sessionId: part.id,
      target: { team: toTeam ? '47' : null, agent: null },
      reason: withNote ? 'help' : null,
      summary: null,
      intent: null,
      fields: {},
      priority: null,
      resumeTarget: null,
      epoch: null,
      idempotencyKey: play.world.nextKey(),
    };
    const answer = await play.runtime(part, { asks: true }, () => play.flows.requestHandoff(scope, input));
    expected(
      part,
      isClosed ? codeOf(answer) === 'SESSION_CLOSED' : 'alreadyLive' in answer && answer.alreadyLive === isOpen,
      `asking was answered ${JSON.stringify(answer)}`,
    );
    expected(part, isClosed || part.model.isOpen, 'asked, and nothing lives');
  }),
);

const ends = fc.tuple(who, fc.constantFrom('BOT_CANCELLED', 'USER_ENDED', 'OPERATOR_ENDED')).map(([at, reason]) =>
  command(`end ${at} ${reason}`, async play => {
    const part = play.part(at);
    const { live, isOpen } = part.model;
    const input = { sessionId: part.id, handoffId: null, reason, idempotencyKey: play.world.nextKey() } as Parameters<
      Flows['endHandoff']
    >[1];
    const answer = await play.runtime(part, { ends: reason }, () => play.flows.endHandoff(scope, input));
    expected(
      part,
      live === null
        ? codeOf(answer) === 'NO_LIVE_HANDOFF'
        : 'alreadyEnded' in answer && answer.alreadyEnded === !isOpen,
      `ending was answered ${JSON.stringify(answer)}`,
    );
    expected(part, !part.model.isOpen, 'ended, and still open');
  }),
);

const closes = who.map(at =>
  command(`close ${at}`, async play => {
    const part = play.part(at);
    const input = { sessionId: part.id, idempotencyKey: play.world.nextKey() };
    await play.runtime(part, { closes: true }, () => play.flows.closeSession(scope, input));
    expected(part, part.model.isClosed && !part.model.isOpen, 'closed, and something is still open');
  }),
);

const acknowledges = fc
  .tuple(who, fc.constantFrom(1, 2, 200))
  .map(([at, count]) => command(`acknowledge ${at} ${count}`, play => play.acknowledge(play.part(at), count)));
const repeats = fc.constant(
  command(
    'repeat',
    play => play.repeat(),
    play => play.lastCall !== null,
  ),
);
const changesPolicy = fc.constantFrom('SILENT' as const, 'BOT_MAY_ANSWER' as const).map(whileWaiting =>
  command(`policy ${whileWaiting}`, async play => {
    await play.world.flows.updatePolicy(scope, 'bot-1', { whileWaiting });
    for (const { model } of play.parts) model.whileWaiting = whileWaiting;
  }),
);

// ---- agents at the remote

/** An action of an agent, with its webhook at once or not at all. */
function deed(
  weight: number,
  name: string,
  act: (play: Play, conversation: SimulatedConversation, agent: string, at: number) => void,
  can: (conversation: SimulatedConversation) => boolean = () => true,
): readonly [number, fc.Arbitrary<Command>] {
  return [
    weight,
    fc
      .record({ at: fc.nat(1), agent: fc.constantFrom('alice', 'bob'), isTold: fc.boolean() })
      .map(({ at, agent, isTold }) =>
        command(
          `${agent} ${name} ${at}${isTold ? '' : ' untold'}`,
          async play => {
            act(play, play.conversationOf(at)!, agent, at);
            if (isTold) await play.hint(play.part(at), 'ALL');
          },
          play => play.conversationOf(at) !== undefined && can(play.conversationOf(at)!),
          'far side',
        ),
      ),
  ];
}
const turn = (weight: number, name: Deed, from: readonly Status[], to: Status) =>
  deed(
    weight,
    name,
    (play, conversation) => play.remote.setStatus(conversation, to, name, 'people'),
    conversation => from.includes(conversation.view.status),
  );
const say = (play: Play, conversation: SimulatedConversation, agent: string) =>
  play.remote.write(conversation, { by: 'agent', text: play.text('agent'), agent });

const PEOPLE = [
  deed(24, 'says', say),
  // As agents do it: one more message, then resolve.
  deed(
    14,
    'says goodbye',
    (play, conversation, agent) => {
      say(play, conversation, agent);
      play.remote.setStatus(conversation, 'RESOLVED', 'resolve', 'people');
    },
    conversation => conversation.view.status !== 'RESOLVED',
  ),
  deed(4, 'says with a sticker', (play, conversation, agent) =>
    play.remote.write(conversation, { by: 'agent', text: play.text('agent'), agent, file: 'a sticker' }),
  ),
  deed(5, 'notes', (play, conversation, agent) =>
    play.remote.write(conversation, { by: 'note', text: play.text('note'), agent }),
  ),
  deed(14, 'takes', (play, conversation, agent) => {
    conversation.view.agent = agent;
    play.remote.did(conversation, 'assign', agent);
  }),
  deed(
    5,
    'lets go',
    (play, conversation) => {
      conversation.view.agent = null;
      play.remote.did(conversation, 'unassign');
    },
    conversation => conversation.view.agent !== null,
  ),
  deed(
    4,
    'passes on',
    (play, conversation) => {
      Object.assign(conversation.view, { teamId: conversation.view.teamId === '47' ? '48' : '47', agent: null });
      play.remote.did(conversation, 'team');
    },
    conversation => conversation.view.status === 'OPEN',
  ),
  turn(8, 'resolve', ['BOT_HELD', 'OPEN', 'ON_HOLD'], 'RESOLVED'),
  turn(5, 'giveBack', ['OPEN'], 'BOT_HELD'),
  turn(4, 'snooze', ['OPEN'], 'ON_HOLD'),
  turn(4, 'wake', ['ON_HOLD'], 'OPEN'),
  turn(4, 'reopen', ['RESOLVED'], 'OPEN'),
  deed(4, 'deletes', (play, conversation) => {
    conversation.deleted = true;
    play.remote.did(conversation, 'delete');
  }),
];

// ---- hints, workers, time

/** A webhook that arrives late or again, whatever it was about. */
const hints = fc
  .tuple(who, fc.constantFrom('MESSAGES' as const, 'ALL' as const))
  .map(([at, about]) => command(`hint ${at} ${about}`, play => play.hint(play.part(at), about)));
const steps = fc.oneof(fc.constant(Infinity), fc.nat(16));
const starts = (job: 'deliver' | 'read' | 'endings' | 'look' | 'scan') =>
  steps.map(n =>
    command(
      `${job} ${n}`,
      play => play.start(job, n),
      play => play.workers.length < 4,
    ),
  );
const goesOn = fc.tuple(fc.nat(3), steps).map(([at, n]) =>
  command(
    `go on ${at} ${n}`,
    play => play.goOn(play.workers[at]!, n),
    play => play.workers.length > at,
  ),
);
const isCut = fc
  .tuple(fc.nat(3), fc.constantFrom('nothing arrived' as const, 'answer lost' as const))
  .map(([at, cut]) =>
    command(
      `cut ${at} ${cut}`,
      play => play.goOn(play.workers[at]!, Infinity, cut),
      play => play.workers.length > at,
    ),
  );
const dies = fc.nat(3).map(at =>
  command(
    `die ${at}`,
    async play => play.kill(play.workers[at]!),
    play => play.workers.length > at,
  ),
);
const restarts = fc.constant(command('restart', play => play.restart()));
const passes = fc
  .constantFrom(1_000, 25_000, LEASE_MS + 1_000)
  .map(ms => command(`${ms / 1_000} s pass`, play => play.pass(ms)));

type Weighted = readonly (readonly [number, fc.Arbitrary<Command>])[];
const oneOf = (weighted: Weighted): fc.Arbitrary<Command> =>
  fc.oneof(...weighted.map(([weight, arbitrary]) => ({ weight, arbitrary })));

const TALK: Weighted = [
  ...PEOPLE,
  [16, userSays],
  [12, botSays],
  [18, asks],
  [8, ends],
  [1, closes],
  [20, acknowledges],
  [4, repeats],
  [1, changesPolicy],
  [8, hints],
];

/**
 * The races that matter: another actor acts while a worker is between two of its steps, and the worker then continues.
 */
const meanwhile = fc.tuple(fc.constantFrom('deliver' as const, 'read' as const), fc.nat(12), oneOf(TALK)).map(
  ([job, n, other]): Command => ({
    check: ({ play }) => play.workers.length < 4,
    async run(stage, play) {
      const before = [...play.workers];
      await play.start(job, n);
      await play.agree();
      const worker = play.workers.find(one => !before.includes(one));
      if (worker === undefined) return;
      if (other.check(stage)) await other.run(stage, play);
      await play.goOn(worker, Infinity);
      await play.agree();
    },
    toString: () => `${job} ${n} (${String(other)}) and on`,
  }),
);

const WEIGHTED: Weighted = [
  ...TALK,
  [50, meanwhile],
  [40, starts('deliver')],
  [28, starts('read')],
  [8, starts('endings')],
  [2, starts('look')],
  [2, starts('scan')],
  [36, goesOn],
  [8, isCut],
  [10, dies],
  [1, restarts],
  [16, passes],
];

export const anyCommand: fc.Arbitrary<Command> = oneOf(WEIGHTED);
