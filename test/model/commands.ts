import fc from 'fast-check';
import type { Flows } from '../../src/core/flows/api';
import { scope } from '../support/flow-world';
import type { Deed, Status, Talk } from './far-side';
import type { Part, Play } from './play';
import { LEASE_MS } from './workers';

/** What a command may look at before it runs: fast-check skips what is impossible at the moment. */
export interface Stage { readonly play: Play }
type Command = fc.AsyncCommand<Stage, Play>;

/** `touches`: only the far side, which needs no look at the log; or anything. */
const command = (name: string, act: (play: Play) => Promise<unknown>, can: (play: Play) => boolean = () => true, touches: 'far side' | 'anything' = 'anything'): Command => ({
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
const agent = fc.constantFrom('alice', 'bob');

// ---- the runtime: what it is answered is known beforehand

const userSays = fc.tuple(who, fc.integer({ min: 0, max: 19 })).map(([at, kind]) => command(`user ${at}${kind === 0 ? ' poison' : ''}`, async play => {
  const part = play.part(at);
  const text = play.text(kind === 0 ? 'poison' : 'user');
  const closed = part.model.isClosed;
  const input = { sessionId: part.id, text, attachments: [], messageId: null, idempotencyKey: play.world.nextKey() };
  const answer = await play.runtime(part, { says: 'END_USER', text }, () => play.flows.recordEndUserMessage(scope, input));
  expected(part, closed ? codeOf(answer) === 'SESSION_CLOSED' : 'mayReply' in answer && answer.mayReply === part.model.mayReply, `the end-user's word was answered ${JSON.stringify(answer)}`);
}));

const botSays = fc.tuple(who, fc.boolean(), fc.constantFrom('REJECT', 'SUGGEST')).map(([at, stale, onControlLost]) => command(`bot ${at}${stale ? ' stale' : ''} ${onControlLost}`, async play => {
  const part = play.part(at);
  const { model } = part;
  const holds = model.mayReply && !stale;
  const text = play.text('bot');
  const input = { sessionId: part.id, text, attachments: [], messageId: null, onControlLost, epoch: model.epoch - (stale ? 1 : 0), idempotencyKey: play.world.nextKey() } as Parameters<Flows['sendBotMessage']>[1];
  const answer = await play.runtime(part, { says: 'BOT', text }, () => play.flows.sendBotMessage(scope, input));
  const wanted = model.isClosed ? 'SESSION_CLOSED' : !holds && onControlLost === 'REJECT' ? 'CONTROL_LOST' : null;
  expected(part, codeOf(answer) === wanted && (wanted !== null || ('delivered' in answer && answer.delivered === holds)), `the bot's word was answered ${codeOf(answer)}, expected ${wanted} ${holds}`);
}));

const asks = fc.tuple(who, fc.boolean(), fc.boolean()).map(([at, toTeam, withNote]) => command(`ask ${at}${toTeam ? ' team' : ''}${withNote ? ' note' : ''}`, async play => {
  const part = play.part(at);
  const { isClosed, isOpen } = part.model;
  const input = {
    sessionId: part.id, target: { team: toTeam ? '47' : null, agent: null }, reason: withNote ? 'help' : null, summary: null, intent: null, fields: {},
    priority: null, resumeTarget: null, epoch: null, idempotencyKey: play.world.nextKey(),
  };
  const answer = await play.runtime(part, { asks: true }, () => play.flows.requestHandoff(scope, input));
  expected(part, isClosed ? codeOf(answer) === 'SESSION_CLOSED' : 'alreadyLive' in answer && answer.alreadyLive === isOpen, `asking was answered ${JSON.stringify(answer)}`);
  expected(part, isClosed || part.model.isOpen, 'asked, and nothing lives');
}));

const ends = fc.tuple(who, fc.constantFrom('BOT_CANCELLED', 'USER_ENDED', 'OPERATOR_ENDED')).map(([at, reason]) => command(`end ${at} ${reason}`, async play => {
  const part = play.part(at);
  const { live, isOpen } = part.model;
  const input = { sessionId: part.id, handoffId: null, reason, idempotencyKey: play.world.nextKey() } as Parameters<Flows['endHandoff']>[1];
  const answer = await play.runtime(part, { ends: reason }, () => play.flows.endHandoff(scope, input));
  expected(part, live === null ? codeOf(answer) === 'NO_LIVE_HANDOFF' : 'alreadyEnded' in answer && answer.alreadyEnded === !isOpen, `ending was answered ${JSON.stringify(answer)}`);
  expected(part, !part.model.isOpen, 'ended, and still open');
}));

const closes = who.map(at => command(`close ${at}`, async play => {
  const part = play.part(at);
  const input = { sessionId: part.id, idempotencyKey: play.world.nextKey() };
  await play.runtime(part, { closes: true }, () => play.flows.closeSession(scope, input));
  expected(part, part.model.isClosed && part.model.live === null, 'closed, and something still lives');
}));

const acknowledges = fc.tuple(who, fc.constantFrom(1, 2, 200)).map(([at, count]) => command(`acknowledge ${at} ${count}`, play => play.acknowledge(play.part(at), count)));
const repeats = fc.constant(command('repeat', play => play.repeat(), play => play.lastCall !== null));
const changesPolicy = fc.constantFrom('HOLD' as const, 'BOT_MAY_ANSWER' as const).map(whileWaiting => command(`policy ${whileWaiting}`, async play => {
  await play.world.flows.updatePolicy(scope, 'bot-1', { whileWaiting });
  for (const { model } of play.parts) model.whileWaiting = whileWaiting;
}));

// ---- people at the far side

const people = (name: string, at: number, act: (play: Play, talk: Talk) => void, can: (talk: Talk) => boolean = () => true): Command =>
  command(`${name} ${at}`, async play => act(play, play.talk(at)!), play => play.talk(at) !== undefined && can(play.talk(at)!), 'far side');

const speaks = fc.tuple(who, agent).map(([at, name]) => people(`${name} says`, at, (play, talk) => play.far.write(talk, { by: 'agent', text: play.text('agent'), agent: name })));
const notes = fc.tuple(who, agent).map(([at, name]) => people(`${name} notes`, at, (play, talk) => play.far.write(talk, { by: 'note', text: play.text('note'), agent: name })));
const takes = fc.tuple(who, agent).map(([at, name]) => people(`assign ${name}`, at, (play, talk) => {
  talk.view.agent = name;
  play.far.did(talk, 'assign', name);
}));
const lets = who.map(at => people('unassign', at, (play, talk) => {
  talk.view.agent = null;
  play.far.did(talk, 'unassign');
}, talk => talk.view.agent !== null));
const transfers = fc.tuple(who, fc.constantFrom('47', '48')).map(([at, team]) => people(`transfer to ${team}`, at, (play, talk) => {
  Object.assign(talk.view, { teamId: team, agent: null });
  play.far.did(talk, 'team');
}, talk => talk.view.status === 'OPEN'));
const turns = (deed: Deed, from: readonly Status[], to: Status) => who.map(at =>
  people(deed, at, (play, talk) => play.far.setStatus(talk, to, deed, 'people'), talk => from.includes(talk.view.status)));
const deletes = who.map(at => people('delete', at, (play, talk) => {
  talk.deleted = true;
  play.far.did(talk, 'delete');
}));

// ---- hints, workers, time

/** A webhook: it comes once, twice, late, in any order with what it is about, or never. */
const hints = fc.tuple(who, fc.constantFrom('MESSAGES' as const, 'ALL' as const)).map(([at, about]) => command(`hint ${at} ${about}`, play => play.hint(play.part(at), about)));
const steps = fc.oneof({ weight: 3, arbitrary: fc.constant(Infinity) }, { weight: 2, arbitrary: fc.nat(16) });
const starts = (job: 'deliver' | 'read' | 'endings' | 'look') => steps.map(n => command(`${job} ${n}`, play => play.start(job, n), play => play.workers.length < 4));
const goesOn = fc.tuple(fc.nat(3), steps).map(([at, n]) => command(`go on ${at} ${n}`, play => play.goOn(play.workers[at]!, n), play => play.workers.length > at));
const isCut = fc.tuple(fc.nat(3), fc.constantFrom('nothing arrived' as const, 'answer lost' as const)).map(([at, cut]) =>
  command(`cut ${at} ${cut}`, play => play.goOn(play.workers[at]!, Infinity, cut), play => play.workers.length > at));
const dies = fc.nat(3).map(at => command(`die ${at}`, async play => play.dies(play.workers[at]!), play => play.workers.length > at));
const restarts = fc.constant(command('restart', play => play.restart()));
const passes = fc.constantFrom(1_000, 25_000, LEASE_MS + 1_000).map(ms => command(`${ms / 1_000} s pass`, play => play.pass(ms)));

const WEIGHTED: readonly (readonly [number, fc.Arbitrary<Command>])[] = [
  [28, userSays], [16, botSays], [18, asks], [8, ends], [1, closes], [20, acknowledges], [4, repeats], [1, changesPolicy],
  [26, speaks], [5, notes], [14, takes], [5, lets], [4, transfers], [2, deletes],
  [12, turns('resolve', ['BOT_HELD', 'OPEN', 'ON_HOLD'], 'RESOLVED')], [5, turns('giveBack', ['OPEN'], 'BOT_HELD')], [4, turns('snooze', ['OPEN'], 'ON_HOLD')],
  [4, turns('wake', ['ON_HOLD'], 'OPEN')], [4, turns('reopen', ['RESOLVED'], 'OPEN')],
  [14, hints], [56, starts('deliver')], [36, starts('read')], [8, starts('endings')], [2, starts('look')], [36, goesOn], [8, isCut], [10, dies], [1, restarts], [16, passes],
];

export const anyCommand: fc.Arbitrary<Command> = fc.oneof(...WEIGHTED.map(([weight, arbitrary]) => ({ weight, arbitrary })));
