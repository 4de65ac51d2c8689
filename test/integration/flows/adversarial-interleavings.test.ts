import { conversationLost, deliver, deliveryRefused } from '../../../src/core/flows/deliver';
import type { FlowDeps } from '../../../src/core/flows/deps';
import { createFlows } from '../../../src/core/flows';
import { finishEndings } from '../../../src/core/flows/end-handoff';
import { readForward } from '../../../src/core/flows/read-forward';
import { isLive, isOpen, type HandoffRecord } from '../../../src/core/handoff';
import type { ClaimedLane } from '../../../src/core/ports/stores';
import { ProviderRefusedError, SupportError } from '../../../src/core/errors';
import type { Observation, PostMessage, PostNote, ReadForward, ReadPage } from '../../../src/core/ports/support-provider';
import { verdictOn } from '../../../src/delivery/retry-policy';
import { createFlowWorld, ORG, scope, type FlowWorld } from '../../support/flow-world';
import { ScriptedProvider, scriptedDefinition } from '../../support/scripted-provider';

/*
 * Random people, a random bot, faults and crashes, and commands that run in the middle of remote calls and around
 * commits; then everything settles and must add up. A seed always plays the same story:
 *   ADVERSARIAL_SEEDS=17-17 npx jest test/integration/flows/adversarial-interleavings
 */

/** mulberry32 */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

class Crash extends Error {}

type Entry = { id: number; ourId: string | null; by: 'us' | 'agent' | 'note'; text: string; agent: string | null };
type Talk = {
  id: string; sessionId: string; deleted: boolean; entries: Entry[];
  view: { status: 'BOT_HELD' | 'OPEN' | 'ON_HOLD' | 'RESOLVED'; agent: string | null; teamId: string | null };
  /** How often it came into this status by somebody else's hand. */
  handedBack: number; resolved: number;
};

/** Keeps the port's word to the letter: finds an earlier post only after `lookAfter`, and only when told that one may exist. */
class LiteralProvider extends ScriptedProvider {
  readonly talks: Talk[] = [];
  private lastId = 0;
  around: (verb: string, when: 'before' | 'after') => Promise<void> = async () => undefined;

  private async verb<T>(name: string, apply: () => T): Promise<T> {
    await this.around(name, 'before');
    const result = apply();
    await this.around(name, 'after');
    return result;
  }
  private talk(id: string): Talk {
    const talk = this.talks.find(one => one.id === id && !one.deleted);
    if (!talk) throw new ProviderRefusedError('deleted', { gone: true });
    return talk;
  }
  of(sessionId: string): Talk | undefined { return this.talks.find(one => one.sessionId === sessionId && !one.deleted); }
  add(talk: Talk, entry: Omit<Entry, 'id'>): Entry { talk.entries.push({ ...entry, id: ++this.lastId }); return talk.entries.at(-1)!; }

  override ensureContact: ScriptedProvider['ensureContact'] = (_inbox, sessionId) => this.verb('ensureContact', () => `contact-${sessionId}`);
  override openConversation: ScriptedProvider['openConversation'] = ({ sessionId, mayExist }) => this.verb('openConversation', () => {
    const known = mayExist ? this.of(sessionId) : undefined;
    if (known) return known.id;
    this.talks.push({ id: `talk-${this.talks.length + 1}`, sessionId, deleted: false, entries: [], view: { status: 'BOT_HELD', agent: null, teamId: null }, handedBack: 0, resolved: 0 });
    return this.talks.at(-1)!.id;
  });
  private post(talkId: string, ourId: string, text: string, { mayExist, lookAfter }: Pick<PostMessage, 'mayExist' | 'lookAfter'>): string {
    const talk = this.talk(talkId);
    const known = mayExist ? talk.entries.find(entry => entry.ourId === ourId && entry.id > Number(lookAfter ?? 0)) : undefined;
    return String((known ?? this.add(talk, { ourId, by: 'us', text, agent: null })).id);
  }
  override postMessage: ScriptedProvider['postMessage'] = request => this.verb('postMessage', () => {
    if (request.message.text.startsWith('poison')) throw new ProviderRefusedError('never');
    const id = this.post(request.conversation.conversationId, request.message.id, request.message.text, request);
    const talk = this.talk(request.conversation.conversationId);
    // As Chatwoot does where a bot is connected: the end-user's word wakes a resolved conversation for the bot.
    if (request.message.author === 'END_USER' && talk.view.status === 'RESOLVED') { talk.view.status = 'BOT_HELD'; talk.handedBack++; }
    return id;
  });
  override postNote: ScriptedProvider['postNote'] = (request: PostNote) =>
    this.verb('postNote', () => this.post(request.conversation.conversationId, request.noteId, request.text, request));
  override holdForBot: ScriptedProvider['holdForBot'] = c =>
    this.verb('holdForBot', () => { this.talk(c.conversationId).view = { status: 'BOT_HELD', agent: null, teamId: null }; });
  override openForAgents: ScriptedProvider['openForAgents'] = ({ conversation, teamId, agentId }) => this.verb('openForAgents', () => {
    const talk = this.talk(conversation.conversationId);
    talk.view = { status: 'OPEN', agent: agentId ?? talk.view.agent, teamId: teamId ?? talk.view.teamId };
  });
  override resolve: ScriptedProvider['resolve'] = c => this.verb('resolve', () => {
    const talk = this.talk(c.conversationId);
    talk.resolved++;
    talk.view.status = 'RESOLVED';
  });
  override readConversation: ScriptedProvider['readConversation'] = c => this.verb('readConversation', () => {
    const { view } = this.talk(c.conversationId);
    return { status: view.status, teamId: view.teamId, agent: view.agent === null ? null : { externalId: view.agent, name: view.agent } };
  });
  override readForward: ScriptedProvider['readForward'] = ({ conversation, after }: ReadForward) => this.verb('readForward', (): ReadPage => {
    const entries = this.talk(conversation.conversationId).entries.filter(entry => entry.id > Number(after ?? 0)).slice(0, 5);
    const observations = entries.map((entry): Observation => {
      const id = String(entry.id);
      const at = new Date(0).toISOString();
      if (entry.ourId !== null) return { kind: 'echo', id, ourId: entry.ourId };
      const agent = { externalId: entry.agent!, name: entry.agent! };
      return entry.by === 'note' ? { kind: 'note', id, agent, at } : { kind: 'agentMessage', id, agent, text: entry.text, attachments: [], at };
    });
    return { observations, after: entries.length === 0 ? after : String(entries.at(-1)!.id), more: entries.length === 5 };
  });
}

let world: FlowWorld;
beforeAll(async () => { world = await createFlowWorld(); });
afterAll(() => world.close());

const COMMANDS: readonly (readonly [number, string])[] = [
  [14, 'user'], [8, 'bot'], [8, 'ask'], [4, 'cancel'], [0.6, 'close'], [14, 'agentSays'], [3, 'agentNotes'], [8, 'assign'], [3, 'unassign'],
  [7, 'resolve'], [3, 'snooze'], [3, 'wake'], [3, 'giveBack'], [30, 'deliver'], [24, 'read'], [14, 'acknowledge'], [5, 'finish'], [5, 'later'], [0.5, 'policy'], [6, 'delete'],
];
const WEIGHT = COMMANDS.reduce((sum, [weight]) => sum + weight, 0);

/** Plays one seed and returns everything that does not add up. */
async function play(seed: number): Promise<string[]> {
  const random = randomOf(seed);
  const chance = (p: number) => random() < p;
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  const wrong: string[] = [];
  const story: string[] = [];

  const mirroring = pick(['ALWAYS', 'ALWAYS', 'ON_HANDOFF'] as const);
  const whileWaiting = pick(['HOLD', 'BOT_MAY_ANSWER'] as const);
  const lostConversation = seed % 2 === 0 ? 'OPEN_AGAIN' : 'END';
  await world.flows.updatePolicy(scope, 'bot-1', { mirroring, whileWaiting, lostConversation, lines: { ended: pick([null, 'over']) } });
  const provider = new LiteralProvider();
  const { sessions } = world.stores;
  let settling = false;
  let depth = 0;
  // Between a decision and its commit, and between a commit and its answer: the moments at which a process can die.
  const inWorker = { now: false };
  const deps: FlowDeps = {
    ...world.deps,
    providers: new Map([['scripted', { definition: scriptedDefinition(provider), instance: provider }]]),
    stores: {
      ...world.stores,
      sessions: new Proxy(sessions, {
        get: (target, name) => (name !== 'transact' ? (Reflect.get(target, name) as (...all: unknown[]) => unknown).bind?.(target) ?? Reflect.get(target, name)
          : async (...all: Parameters<typeof sessions.transact>) => {
            if (!settling && inWorker.now && chance(0.02)) throw new Crash('before commit');
            const answer = await target.transact(...all);
            if (!settling && inWorker.now && chance(0.02)) throw new Crash('after commit');
            return answer;
          }),
      }),
    },
  };
  const flows = createFlows(deps);
  const ids = [(await world.open()).id, ...(chance(0.4) ? [(await world.open()).id] : [])];
  let said = 0;
  let deletions = 0;
  let policyChanged = false;
  const poisoned = chance(0.15);

  provider.around = async (verb, when) => {
    if (settling) return;
    if (depth < 3 && chance(0.12)) await command();
    if (chance(0.03)) throw new Crash(`${when} ${verb}`);
  };

  async function deliverOne(): Promise<boolean> {
    const [lane] = await world.stores.lanes.claimDeliveries('PROVIDER', 1, 600_000);
    if (!lane) return false;
    const outer = inWorker.now;
    inWorker.now = true;
    try {
      await deliver(deps, lane.delivery, { held: async () => { if (!settling && chance(0.01)) throw new Crash('lease lost'); } });
      inWorker.now = outer;
      if (!settling && chance(0.03)) throw new Crash('before completion');
      await world.stores.lanes.complete(lane);
    } catch (error) {
      inWorker.now = outer;
      story.push(`! ${lane.delivery.work.kind}: ${(error as Error).message}`);
      await failed(lane, error);
    }
    inWorker.now = outer;
    return true;
  }
  /** As the worker does it; a crash is a lease that ends at once. */
  async function failed(lane: ClaimedLane, error: unknown): Promise<void> {
    if (!(error instanceof SupportError) && !(error instanceof Crash)) throw error;
    const verdict = verdictOn(error, lane.delivery.earlierAttempts, 0, 0.5);
    if (verdict.kind === 'park') { await deliveryRefused(deps, lane.delivery, verdict.code); await world.stores.lanes.park(lane, verdict.code); return; }
    if (verdict.kind === 'remake') await conversationLost(deps, lane.organizationId, lane.sessionId, null);
    await world.stores.lanes.retry(lane, 0, verdict.code);
  }
  async function read(id: string): Promise<number | null> {
    const outer = inWorker.now;
    inWorker.now = true;
    try {
      return await readForward(deps, ORG, id);
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      return 0;
    } finally { inWorker.now = outer; }
  }
  async function inbox(id: string) {
    return (await world.stores.deliveries.runtimeInbox(ORG, { chatbotId: null, sessionId: id }, { first: 200, after: null })).edges.map(edge => edge.node);
  }

  async function command(): Promise<void> {
    let at = random() * WEIGHT;
    const what = COMMANDS.find(([weight]) => (at -= weight) < 0)![1];
    const id = pick(ids);
    const talk = provider.of(id);
    const agent = pick(['alice', 'bob']);
    story.push(`${' '.repeat(depth)}${what} ${ids.indexOf(id)}`);
    depth++;
    try {
      switch (what) {
        case 'user': await world.user(id, poisoned && chance(0.2) ? `poison ${++said}` : `user ${++said}`); break;
        case 'bot': {
          const session = await world.session(id);
          await world.bot(id, `bot ${++said}`, session.epoch - (chance(0.2) ? 1 : 0), chance(0.3) ? 'SUGGEST' : 'REJECT');
          break;
        }
        case 'ask': await world.ask(id, { reason: chance(0.7) ? 'help' : null, target: { team: chance(0.5) ? '47' : null, agent: null } }); break;
        case 'cancel': await flows.endHandoff(scope, { sessionId: id, handoffId: null, reason: pick(['BOT_CANCELLED', 'USER_ENDED', 'OPERATOR_ENDED'] as const), idempotencyKey: world.nextKey() }); break;
        case 'close': await flows.closeSession(scope, { sessionId: id, idempotencyKey: world.nextKey() }); break;
        case 'agentSays': if (talk && (talk.view.status !== 'BOT_HELD' || chance(0.3))) provider.add(talk, { by: 'agent', ourId: null, text: `agent ${++said}`, agent }); break;
        case 'agentNotes': if (talk) provider.add(talk, { by: 'note', ourId: null, text: `note ${++said}`, agent }); break;
        case 'assign': if (talk && (talk.view.status !== 'BOT_HELD' || chance(0.2))) talk.view.agent = agent; break;
        case 'unassign': if (talk) talk.view.agent = null; break;
        case 'resolve': if (talk && talk.view.status !== 'RESOLVED') { talk.view.status = 'RESOLVED'; talk.resolved++; } break;
        case 'snooze': if (talk?.view.status === 'OPEN') talk.view.status = 'ON_HOLD'; break;
        case 'wake': if (talk?.view.status === 'ON_HOLD') talk.view.status = 'OPEN'; break;
        case 'giveBack': if (talk && talk.view.status === 'OPEN') { talk.view.status = 'BOT_HELD'; talk.handedBack++; } break;
        case 'deliver': await deliverOne(); break;
        case 'read': await read(id); break;
        case 'acknowledge': {
          const waiting = await inbox(id);
          await flows.acknowledge(scope, waiting.slice(0, Math.ceil(random() * waiting.length)).map(delivery => delivery.id));
          break;
        }
        case 'finish': await finishEndings(deps, 100); break;
        case 'later': world.time.ms += Math.floor(random() * 20_000); break;
        case 'policy':
          policyChanged = true;
          await world.flows.updatePolicy(scope, 'bot-1', { whileWaiting: pick(['HOLD', 'BOT_MAY_ANSWER'] as const) });
          break;
        case 'delete': if (talk && chance(0.5)) { talk.deleted = true; deletions++; } break;
      }
    } catch (error) {
      const { code } = error as { code?: string };
      if (!(error instanceof Crash) && !['CONTROL_LOST', 'SESSION_CLOSED', 'NO_LIVE_HANDOFF'].includes(code ?? '')) throw error;
    } finally { depth--; }
  }

  const steps = 25 + Math.floor(random() * 25);
  for (let step = 0; step < steps; step++) await command();

  // Everything comes to rest: nobody does anything more, nothing fails any more.
  settling = true;
  for (let round = 0; round < 6; round++) {
    for (let i = 0; await deliverOne(); i++) if (i > 200) { wrong.push('deliveries never end'); break; }
    for (const id of ids) for (let i = 0; (await read(id)) === 0 && i < 50; i++);
    for (const id of ids) await flows.acknowledge(scope, (await inbox(id)).map(delivery => delivery.id));
    world.time.ms += 60_000;
    await finishEndings(deps, 100);
  }

  for (const id of ids) wrong.push(...(await judge(id)).map(line => `session ${ids.indexOf(id)}: ${line}`));
  return wrong.length === 0 ? [] : [`seed ${seed} (${mirroring}, ${whileWaiting}, ${lostConversation})`, ...wrong, ...(process.env.ADVERSARIAL_STORY ? story : [])];

  async function judge(id: string): Promise<string[]> {
    const found: string[] = [];
    const check = (holds: boolean, line: string) => { if (!holds) found.push(line); };
    const session = await world.session(id);
    const messages = (await world.stores.messages.page(ORG, id, { first: 1_000, after: null })).edges.map(edge => edge.node);
    const byId = new Map(messages.map(message => [message.id, message]));
    const { rows: handoffRows } = await world.pool.query<{ id: string }>('select id from handoff where session_id = $1', [id]);
    const handoffs = new Map<string, HandoffRecord>();
    for (const row of handoffRows) handoffs.set(row.id, await world.handoff(row.id));
    const { rows: notices } = await world.pool.query<{ payload: { kind: string; messageId?: string; handoffId?: string } }>(
      "select payload from delivery where session_id = $1 and destination = 'RUNTIME' order by id", [id]);
    const { rows: owed } = await world.pool.query<{ state: string; kind: string }>(
      "select state, kind from delivery where session_id = $1 and destination = 'PROVIDER' and state <> 'DONE'", [id]);
    const talks = provider.talks.filter(talk => talk.sessionId === id);
    const current = provider.of(id);
    const live = session.liveHandoffId === null ? null : handoffs.get(session.liveHandoffId)!;

    // at rest
    check(session.statusWrites % 2 === 0, `statusWrites is left at ${session.statusWrites}`);
    check(owed.every(one => one.state === 'PARKED'), `still owed: ${JSON.stringify(owed)}`);
    check(poisoned || owed.length === 0, `set aside: ${JSON.stringify(owed)}`);
    check([...handoffs.values()].filter(one => isLive(one.state)).length === (live ? 1 : 0), 'live handoffs do not fit the session');
    check(live?.state !== 'ENDING', 'a handoff is stuck ENDING');
    check(live?.state !== 'REQUESTED', 'a handoff is stuck REQUESTED');
    check(!(live && current && ['RESOLVED', 'BOT_HELD'].includes(current.view.status)), `live ${live?.state} over a conversation that is ${current?.view.status}`);
    check(!(live && !current), 'a handoff is live without a conversation');
    check(!(live && isOpen(live.state) && current?.view.status === 'OPEN' && current.view.agent !== null && live.agent?.externalId !== current.view.agent), 'the handoff names another agent than the conversation');
    check(session.control === (live === null ? 'BOT' : ['REQUESTED', 'QUEUED'].includes(live.state) ? 'NONE' : 'HUMAN'), 'control does not follow the handoff');
    check(talks.filter(talk => !talk.deleted).length <= 1, 'more than one conversation');

    // at the provider
    for (const talk of talks) {
      const ours = talk.entries.filter(entry => entry.ourId !== null).map(entry => entry.ourId!);
      check(new Set(ours).size === ours.length, `shown twice: ${talk.entries.map(entry => entry.text).join(' | ')}`);
      const seqs = ours.flatMap(ourId => byId.get(ourId)?.seq ?? []);
      check(seqs.every((seq, i) => i === 0 || seq > seqs[i - 1]!), `shown out of order: ${seqs.join(' ')}`);
      check(ours.every(ourId => byId.get(ourId)?.author !== 'SYSTEM'), 'our own line was shown to agents');
    }
    if (deletions === 0) {
      const shown = new Set(talks.flatMap(talk => talk.entries.map(entry => entry.ourId)));
      const wanted = messages.filter(message => ['END_USER', 'BOT'].includes(message.author) && !message.text.startsWith('poison')
        && (mirroring === 'ALWAYS' || (live !== null && message.seq <= live.historyThroughSeq)));
      check(wanted.every(message => shown.has(message.id)), `never shown: ${wanted.filter(message => !shown.has(message.id)).map(message => message.text).join(' ')}`);
    }

    // at the runtime
    const told = notices.map(({ payload }) => payload);
    const words = talks.flatMap(talk => talk.entries.filter(entry => entry.by === 'agent').map(entry => ({ ...entry, lost: talk.deleted })));
    const heard = told.flatMap(notice => (notice.kind === 'MESSAGE' && byId.get(notice.messageId!)!.author === 'AGENT' ? [byId.get(notice.messageId!)!.text] : []));
    const due = words.filter(word => !word.lost || heard.includes(word.text)).map(word => word.text);
    check(JSON.stringify(heard) === JSON.stringify(due), `agents said ${due.join(', ')} and the runtime heard ${heard.join(', ')}`);
    for (const [handoffId, handoff] of handoffs) {
      const mine = told.map((notice, i) => ({ ...notice, i })).filter(notice => notice.handoffId === handoffId
        || (notice.kind === 'MESSAGE' && byId.get(notice.messageId!)!.handoffId === handoffId));
      const outcomes = mine.filter(notice => notice.kind === 'HANDOFF_OUTCOME');
      check(outcomes.length === (isLive(handoff.state) ? 0 : 1), `${outcomes.length} outcomes of a handoff that is ${handoff.state}`);
      if (outcomes[0]) check(mine.at(-1)!.i === outcomes[0].i, `something of a handoff came after its outcome: ${mine.map(notice => notice.kind).join(' ')}`);
      const waits = mine.filter(notice => notice.kind === 'MESSAGE' && byId.get(notice.messageId!)!.text.startsWith('A colleague'));
      check(waits.length <= 1, 'the end-user was promised a colleague twice for one handoff');
    }
    const ended = (reason: string) => [...handoffs.values()].filter(one => one.endReason === reason).length;
    const sum = (of: (talk: Talk) => number) => talks.reduce((total, talk) => total + of(talk), 0);
    check(ended('AGENT_RETURNED') <= sum(talk => talk.handedBack), `${ended('AGENT_RETURNED')} returns seen, ${sum(talk => talk.handedBack)} made`);
    // Who speaks into what is resolved takes over and is done at once.
    const takeovers = [...handoffs.values()].filter(one => one.origin === 'AGENT_TAKEOVER').length;
    check(ended('AGENT_RESOLVED') <= sum(talk => talk.resolved) + takeovers, `${ended('AGENT_RESOLVED')} resolutions seen, ${sum(talk => talk.resolved)} made`);
    check(ended('PROVIDER_LOST') <= deletions, 'lost a conversation that nobody deleted');
    check([...handoffs.values()].every(one => one.state !== 'FAILED'), 'a handoff failed though nobody refused it');

    // in the log
    let control = 'BOT';
    let epoch = 1;
    const events = await world.events(id);
    for (const [i, event] of events.entries()) {
      check(event.seq === i + 1, `event ${i + 1} has number ${event.seq}`);
      if (event.body.type === 'CONTROL_CHANGED') {
        check(event.body.epoch === epoch + 1, `epoch goes from ${epoch} to ${event.body.epoch}`);
        check(event.body.control !== control, `control changes from ${control} to itself`);
        ({ control, epoch } = event.body);
      }
      if (event.body.type === 'MESSAGE_RECORDED' && event.body.author === 'BOT' && event.body.visibility === 'PUBLIC')
        check(control === 'BOT' || (control === 'NONE' && (policyChanged || whileWaiting === 'BOT_MAY_ANSWER')), `the bot spoke while control was ${control}`);
    }
    check(session.control === control && session.epoch === epoch, 'the log ends elsewhere than the session');
    check(session.lastEventSeq === events.length, 'the session counts other events than the log has');
    check(messages.every((message, i) => message.seq === i + 1), 'messages are not numbered without gaps');
    check(messages.every(message => !message.text.startsWith('note')), 'a note left the provider');
    return found;
  }
}

const [first = 1, last = 60] = (process.env.ADVERSARIAL_SEEDS ?? '').split('-').filter(Boolean).map(Number);

it('adds up in the end, whoever interferes with whom', async () => {
  const failures: string[] = [];
  for (let seed = first; seed <= last; seed++) {
    try {
      const wrong = await play(seed);
      if (wrong.length > 0) failures.push(wrong.join('\n  '));
    } catch (error) {
      failures.push(`seed ${seed} broke: ${(error as Error).stack}`);
    }
  }
  expect(failures.join('\n')).toBe('');
}, 600_000);
