import { Client } from 'pg';
import { CancelHandoffDocument, type HandoffCancelReason } from '../../examples/generated/client';
import { done } from '../../examples/support-client';
import { ChatwootStage } from '../../scripts/demo/chatwoot-stage';
import { Runtime } from '../../scripts/demo/runtime';
import { settled } from '../../scripts/demo/step';
import { SET_UP, Story } from '../../scripts/demo/story';
import { tell } from '../../scripts/demo/tell';
import { startChatwootDouble, type ChatwootDouble } from '../../src/providers/chatwoot/testing/double';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { Fleet } from '../support/fleet';
import type { Replica } from '../support/replica';
import { startStepProxy, type StepProxy } from '../support/step-proxy';

jest.setTimeout(300_000);

/*
 * A process is killed behind each write of a way through Chatwoot: when it has taken effect there, and before we knew. The
 * writes are those that an undisturbed run makes, so none can be forgotten. Several Sessions are held at once, each at a
 * write of its own, so that one kill serves them all.
 */

/** Of one account, as many pieces of work as one process has under way at once. */
const AT_ONCE = 8;
const ORGANIZATIONS = ['org-team', 'org-person'];
let database: TestDatabase;
let sql: Client;
let fleet: Fleet;
let double: ChatwootDouble;
let proxy: StepProxy;
/** The only one that runs: whatever is done, it does. After a kill the next one takes its place. */
let alive: Replica;

beforeAll(async () => {
  database = await createTestDatabase();
  sql = new Client({ connectionString: database.url });
  await sql.connect();
  double = await startChatwootDouble();
  proxy = await startStepProxy(double.baseUrl);
  // As rarely as can be set: what is found is found by the way under test. And a held call waits for the kill.
  fleet = new Fleet(database.url, ORGANIZATIONS, { SUPPORT_LIVE_POLL_SECONDS: '3600', SUPPORT_PROVIDER_TIMEOUT_MS: '120000' });
  alive = await fleet.add();
});

afterAll(async () => {
  await fleet?.stop();
  await proxy?.stop();
  await double?.stop();
  await sql?.end();
  await database?.drop();
});

/** The service goes through the proxy; people do not. */
class WatchedStage extends ChatwootStage {
  constructor() { super(double.baseUrl, double.platformToken); }
  override get enabling() { return { ...super.enabling, baseUrl: proxy.url }; }

  async asOwner<T>(method: string, path: string, body?: unknown): Promise<T> {
    return await this.inAccount(await this.administrator(), method, path, body) as T;
  }

  /** From now on whoever is online gets what is opened; and one of them is. */
  async switchRoundRobinOn(): Promise<void> {
    const { payload: [inbox] } = await this.asOwner<{ payload: { id: number }[] }>('GET', '/inboxes');
    await this.asOwner('PATCH', `/inboxes/${inbox!.id}`, { enable_auto_assignment: true });
    for (const { id, name } of await this.asOwner<{ id: number; name: string }[]>('GET', '/agents')) if (name === 'Adam Agent') double.setOnline(id);
  }

  /** All that there is of one end-user: contacts, conversations, and everything said, noted or done in them. */
  async historyOf(endUser: string): Promise<object> {
    const { payload: contacts } = await this.asOwner<{ payload: { id: number; name: string }[] }>('GET', `/contacts/search?q=${encodeURIComponent(endUser)}`);
    const conversations: object[] = [];
    for (const { id } of contacts) {
      const { payload } = await this.asOwner<{ payload: Conversation[] }>('GET', `/contacts/${id}/conversations`);
      for (const { id: number } of payload) conversations.push(await this.conversation(number));
    }
    return { contacts: contacts.length, conversations };
  }

  private async conversation(number: number): Promise<object> {
    const { status, priority, meta } = await this.asOwner<Conversation>('GET', `/conversations/${number}`);
    const messages: Message[] = [];
    for (let before = ''; ;) {
      const { payload } = await this.asOwner<{ payload: Message[] }>('GET', `/conversations/${number}/messages${before}`);
      if (payload.length === 0) break;
      messages.unshift(...payload);
      before = `?before=${Math.min(...payload.map(({ id }) => id))}`;
    }
    const events = double.deliveries().filter(({ receiver, event, body }) => receiver === 'account' && TOLD_ONCE.includes(event) && numberIn(body) === number);
    return {
      status, priority, team: meta.team?.name ?? null, agent: meta.assignee?.name ?? null,
      lines: messages.map(({ message_type: type, private: isPrivate, content, attachments }) => `${type}${isPrivate ? ' private' : ''} ${content}${attachments ? ` +${attachments.length}` : ''}`),
      events: Object.fromEntries(TOLD_ONCE.map((event) => [event, events.filter((one) => one.event === event).length])),
    };
  }
}
interface Conversation { id: number; status: string; priority: string | null; meta: { team?: { name: string } | null; assignee?: { name: string } | null } }
interface Message { id: number; message_type: number; private: boolean; content: string | null; attachments?: unknown[] }

/** Events that tell of something new; others repeat what is the case. */
const TOLD_ONCE = ['conversation_created', 'conversation_status_changed', 'message_created'];
function numberIn(body: string): number | undefined {
  const sent = body === '' ? {} : JSON.parse(body) as { id?: number; event?: string; conversation?: { id?: number } };
  return sent.event === 'message_created' ? sent.conversation?.id : sent.id;
}

/** One end-user with their bot, through whichever replica is alive. */
class Talk {
  readonly endUser: string;
  constructor(readonly house: House, readonly name: string) { this.endUser = `Ida ${name}`; }

  private at: { replica: Replica; runtime: Runtime } | undefined;
  async runtime(): Promise<Runtime> {
    if (this.at?.replica !== alive) {
      this.at = { replica: alive, runtime: new Runtime(fleet.bot(alive, this.house.organization), this.house.story.chatbotId, this.name) };
      await this.at.runtime.open({ name: this.endUser });
    }
    return this.at.runtime;
  }
  async session(): Promise<string> { return (await this.runtime()).session; }

  async says(...lines: readonly string[]): Promise<void> {
    const runtime = await this.runtime();
    for (const [i, line] of lines.entries()) await (i % 2 === 0 ? runtime.userSays(line) : runtime.botSays(line));
  }
  async ask(input: Parameters<Runtime['requestHandoff']>[0] = {}): Promise<void> {
    await (await this.runtime()).requestHandoff({ reason: 'Asked for a person', priority: 'HIGH', ...input, idempotencyKey: `${this.name} ${double.deliveries().length}` });
  }
  async cancel(reason: HandoffCancelReason): Promise<void> {
    const { client } = await this.runtime();
    done((await client.call(CancelHandoffDocument, { input: { sessionId: await this.session(), reason, idempotencyKey: `${this.name} cancel` } })).cancelHandoff);
  }
  /** Until nothing is owed there, the handoff is where it should be, and the runtime has collected all. */
  async rests(state: string | null): Promise<void> {
    const expected = { owed: 0, parked: 0, state };
    const look = async () => {
      const runtime = await this.runtime();
      await runtime.acknowledge();
      const { owed, handoff } = await runtime.explain();
      const { rows } = await sql.query<{ odd: boolean }>('select status_writes % 2 = 1 as odd from session where id = $1', [runtime.session]);
      return { owed: owed.provider + (rows[0]!.odd ? 1 : 0), parked: owed.parked, state: handoff && ['ENDED', 'REJECTED', 'FAILED'].includes(handoff.state) ? null : handoff?.state ?? null };
    };
    expect({ talk: this.name, ...await settled(look, expected) }).toEqual({ talk: this.name, ...expected });
  }
}

interface House { readonly organization: string; readonly stage: WatchedStage; readonly story: Story }

async function houseOf(organization: string): Promise<House> {
  const stage = new WatchedStage();
  const story = new Story(stage, fleet.operator(alive, organization), fleet.bot(alive, organization), { mirroring: 'ON_HANDOFF' });
  const said: string[] = [];
  const out = { log: (text: string) => { said.push(text); }, error: (text: string) => { said.push(text); } };
  if (await tell(SET_UP, story, out) !== 0) throw new Error(said.join('\n'));
  return { organization, stage, story };
}

interface Way {
  /** What happened before. */
  before(talk: Talk): Promise<void>;
  /** What causes the writes; killed behind each. */
  now(talk: Talk): Promise<void>;
  /** The handoff's state when all is done; null: over. */
  then: string | null;
  /** Writes that it must have, so that the way is the one that is meant. */
  has: readonly string[];
}

/** Compares a table: one row per write, each what there is at Chatwoot in the end. */
async function killedBehindEach(house: House, title: string, { before, now, then, has }: Way): Promise<void> {
  const undisturbed = new Talk(house, `${title}, undisturbed`);
  await before(undisturbed);
  const first = proxy.writesOf(await undisturbed.session()).length;
  await now(undisturbed);
  await undisturbed.rests(then);
  await double.settled();
  const writes = proxy.writesOf(await undisturbed.session()).slice(first);
  expect(writes).toEqual(expect.arrayContaining([...has]));
  const expected = await house.stage.historyOf(undisturbed.endUser);

  const steps = writes.map((write, index) => ({ write, index })).filter(({ index }) => !isInTheMiddle(writes, index));
  const seen: Record<string, unknown> = {};
  for (let from = 0; from < steps.length; from += AT_ONCE) {
    const talks = steps.slice(from, from + AT_ONCE).map((step) => ({ ...step, talk: new Talk(house, `${title}, ${step.index}`) }));
    for (const { talk } of talks) await before(talk);
    const held = await Promise.all(talks.map(async ({ talk, index }) => {
      const reached = proxy.holdNext(await talk.session(), (count) => count === index);
      await now(talk);
      return reached;
    }));
    expect(held).toEqual(talks.map(({ write }) => write));

    await alive.killHard();
    proxy.release();
    alive = await fleet.add(alive.port);
    // A minute passes: the dead replica's leases are over.
    await sql.query('update lane set next_run_at = now() where next_run_at > now()');
    for (const { talk, write, index } of talks) {
      await talk.rests(then);
      seen[`${index}: ${write}`] = await settled(() => house.stage.historyOf(talk.endUser), expected);
    }
  }
  expect(seen).toEqual(Object.fromEntries(steps.map(({ write, index }) => [`${index}: ${write}`, expected])));
}

/** One of a long row of messages, with two of them on either side: to be killed behind it is to be killed behind its neighbour. */
const isInTheMiddle = (writes: readonly string[], index: number): boolean =>
  index >= 2 && [-2, -1, 0, 1, 2].every((distance) => writes[index + distance]?.includes('/messages: Line '));

const SPOKEN = ['Hello?', 'Hello!', 'A person, please.'];
const LONG = Array.from({ length: 61 }, (_, i) => `Line ${i + 1}`);

describe('a replica that is killed behind any of its writes leaves it to the next, and nothing is there twice', () => {
  let house: House;
  beforeAll(async () => { house = await houseOf('org-team'); });

  const toTheTeam = (talk: Talk) => talk.ask({ target: { team: talk.house.story.teamId } });
  const adam = () => house.story.adam;
  /** Taken, answered and resolved by Adam: all that a first handoff leaves behind stands on it. */
  async function hadOne(talk: Talk): Promise<void> {
    await talk.says(...SPOKEN);
    await toTheTeam(talk);
    await talk.rests('QUEUED');
    await adam().take(talk.endUser);
    await talk.rests('ASSIGNED');
    await double.settled();
    await adam().reply(talk.endUser, 'Here I am.');
    await talk.rests('ACTIVE');
    await adam().resolve(talk.endUser);
    await talk.rests(null);
  }

  it('opening a first handoff', () => killedBehindEach(house, 'first', {
    before: (talk) => talk.says(...SPOKEN), now: toTheTeam, then: 'QUEUED',
    has: ['POST /contacts', 'POST /conversations', 'POST /conversations/messages: Hello?', 'POST /conversations/messages: Handed over by the bot.', 'POST /conversations/assignments: team_id n', 'POST /conversations/toggle_status: status open'],
  }));

  it('opening one with a long talk', () => killedBehindEach(house, 'long', {
    before: (talk) => talk.says(...LONG), now: toTheTeam, then: 'QUEUED', has: ['POST /conversations/messages with a file', 'POST /conversations/messages: Line 61'],
  }));

  it('opening a second one, on which the first has left its traces', () => killedBehindEach(house, 'second', {
    async before(talk) {
      await hadOne(talk);
      await talk.says('Once more, please.', 'Of course.');
    },
    now: toTheTeam, then: 'QUEUED',
    has: ['POST /conversations/toggle_status: status pending', 'POST /conversations/assignments: assignee_id null', 'POST /conversations/assignments: team_id 0', 'POST /conversations/toggle_priority: priority null'],
  }));

  it.each(['BOT_CANCELLED', 'USER_ENDED'] as const)('giving it back (%s)', (reason) => killedBehindEach(house, reason, {
    async before(talk) {
      await talk.says(...SPOKEN);
      await toTheTeam(talk);
      await talk.rests('QUEUED');
      await adam().take(talk.endUser);
      await talk.rests('ASSIGNED');
    },
    now: (talk) => talk.cancel(reason), then: null,
    has: [`POST /conversations/toggle_status: status ${reason === 'USER_ENDED' ? 'resolved' : 'pending'}`],
  }));

  it('opening what an agent has taken over', () => killedBehindEach(house, 'takeover', {
    async before(talk) {
      await talk.says(...SPOKEN);
      await toTheTeam(talk);
      await talk.rests('QUEUED');
      await talk.cancel('BOT_CANCELLED');
      await talk.rests(null);
      await talk.says('I think I manage.', 'Good.');
    },
    now: (talk) => adam().reply(talk.endUser, 'May I help?'), then: 'ACTIVE',
    has: ['POST /conversations/messages: I think I manage.', 'POST /conversations/assignments: assignee_id n', 'POST /conversations/toggle_status: status open'],
  }));
});

describe('a person who is asked for by name, where Chatwoot\'s round robin wants another', () => {
  it('has it in the end, whichever write was the last', async () => {
    const house = await houseOf('org-person');
    await house.stage.switchRoundRobinOn();
    const people = await house.stage.asOwner<{ id: number; name: string }[]>('GET', '/agents');
    const olga = String(people.find(({ name }) => name === 'Olga Owner')!.id);
    await killedBehindEach(house, 'person', {
      before: (talk) => talk.says(...SPOKEN), now: (talk) => talk.ask({ target: { agent: olga } }), then: 'ASSIGNED',
      has: ['POST /conversations/assignments: assignee_id n', 'POST /conversations/toggle_status: status open'],
    });
  });
});
