import { Client } from 'pg';
import { ChatwootStage } from '../../scripts/demo/chatwoot-stage';
import { DeskStage } from '../../scripts/demo/desk-stage';
import { Runtime } from '../../scripts/demo/runtime';
import type { Stage } from '../../scripts/demo/stage';
import { settled } from '../../scripts/demo/step';
import { SET_UP, Story } from '../../scripts/demo/story';
import { tell } from '../../scripts/demo/tell';
import { startChatwootDouble, type ChatwootDouble } from '../../src/providers/chatwoot/testing/double';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { Fleet } from '../support/fleet';
import { startHoldingProxy, type HoldingProxy } from '../support/holding-proxy';
import type { Replica } from '../support/replica';

jest.setTimeout(120_000);

const ORGANIZATIONS = ['org-desk', 'org-chatwoot', 'org-quick', 'org-stopped'] as const;
type Organization = (typeof ORGANIZATIONS)[number];
let database: TestDatabase;
let sql: Client;
let fleet: Fleet;
let double: ChatwootDouble;
/** The only one that runs: whatever is done, it does. After a kill the next one takes its place. */
let alive: Replica;

beforeAll(async () => {
  database = await createTestDatabase();
  sql = new Client({ connectionString: database.url });
  await sql.connect();
  double = await startChatwootDouble();
  // As rarely as can be set: what is found is found by the way under test, not by the timer.
  fleet = new Fleet(database.url, ORGANIZATIONS, { SUPPORT_LIVE_POLL_SECONDS: '3600' });
  alive = await fleet.add();
});

afterAll(async () => {
  await fleet?.stop();
  await double?.stop();
  await sql?.end();
  await database?.drop();
});

async function storyAt(organization: Organization, stage: Stage, policy: object = {}): Promise<Story> {
  const story = new Story(stage, fleet.operator(alive, organization), fleet.bot(alive, organization), policy);
  const said: string[] = [];
  const out = { log: (text: string) => { said.push(text); }, error: (text: string) => { said.push(text); } };
  if (await tell(SET_UP, story, out) !== 0) throw new Error(said.join('\n'));
  return story;
}

/** A minute passes: the dead replica's lease is over. */
const endLeases = () => sql.query('update lane set next_run_at = now() where next_run_at > now()');

const SPOKEN = ['end-user: Hello?', 'bot: Hello!', 'end-user: A person, please.'];
const QUEUED = ['handoff QUEUED', 'service: A colleague will be with you shortly.'];

/** Talks, asks for a person, and kills the replica in the held moment; then another replica does the rest. */
async function killedWhile(organization: Organization, story: Story, endUser: string, held: Promise<void>, release: () => Promise<void> | void): Promise<void> {
  const runtimeAt = async (replica: Replica) => {
    const runtime = new Runtime(fleet.bot(replica, organization), story.chatbotId, `crash-${endUser}`);
    return { runtime, opened: await runtime.open({ name: endUser }) };
  };
  const { runtime } = await runtimeAt(alive);
  await runtime.userSays('Hello?');
  await runtime.botSays('Hello!');
  await runtime.userSays('A person, please.');
  const { handoff } = await runtime.requestHandoff({ reason: 'Asked for a person', target: { team: story.teamId } });
  await held;
  await alive.killHard();
  await release();

  alive = await fleet.add();
  await endLeases();
  const again = await runtimeAt(alive);
  expect(again.opened).toMatchObject({ created: false, control: 'NONE', epoch: 2 });
  const explained = async () => {
    const { handoff: live, owed } = await again.runtime.explain();
    return { live, owed };
  };
  const expected = { live: { id: handoff!.id, state: 'QUEUED' }, owed: { provider: 0, runtime: 2, parked: 0 } };
  expect(await settled(explained, expected)).toEqual(expected);
  expect(await again.runtime.inbox()).toEqual(QUEUED);
}

const whole = (story: Story) => [{
  inbox: 'Order helper', standing: 'open', team: story.staffed.team, agent: null, lines: [...SPOKEN, 'note: Handed over by the bot.\nReason: Asked for a person'],
}];

/** The service goes through the proxy; people and the checks do not. */
class HeldStage extends ChatwootStage {
  constructor(private readonly proxy: HoldingProxy) { super(double.baseUrl, double.platformToken); }
  override get enabling() { return { ...super.enabling, baseUrl: this.proxy.url }; }

  async contactsNamed(name: string): Promise<number> {
    const { payload } = await this.inAccount(await this.administrator(), 'GET', `/contacts/search?q=${name}`) as { payload: unknown[] };
    return payload.length;
  }
}

describe('a replica that is killed while it opens a handoff at chatwoot', () => {
  let proxy: HoldingProxy;
  let stage: HeldStage;
  let story: Story;

  beforeAll(async () => {
    proxy = await startHoldingProxy(double.baseUrl);
    stage = new HeldStage(proxy);
    story = await storyAt('org-chatwoot', stage, { mirroring: 'ON_HANDOFF' });
  });
  afterAll(() => proxy.stop());

  it.each([
    ['the contact was made', /\/contacts$/, ''],
    ['the conversation was made', /\/conversations$/, ''],
    ['the first line of the history was posted', /\/messages$/, 'Hello?'],
    ['the context note was posted', /\/messages$/, 'Handed over'],
    ['the team was set', /\/assignments$/, 'team_id'],
    ['the conversation was opened to people', /\/toggle_status$/, 'open'],
  ])('after %s leaves it to another, and nothing is there twice', async (what, path, body) => {
    const endUser = `Ida, ${what}`;
    const held = proxy.holdNext((method, url, text) => method === 'POST' && path.test(url) && text.includes(body));
    await killedWhile('org-chatwoot', story, endUser, held, () => proxy.release());
    expect(await story.adam.see(endUser)).toEqual(whole(story));
    expect(await stage.contactsNamed(encodeURIComponent(endUser))).toBe(1);
  });
});

describe('people who are quicker than the next replica', () => {
  it('are believed: what they resolved after a kill stays resolved', async () => {
    const proxy = await startHoldingProxy(double.baseUrl);
    try {
      const { runtime, adam, endUser } = await storyAt('org-quick', new HeldStage(proxy));
      await runtime.open({ name: endUser });
      await runtime.userSays('A person, please.');
      const held = proxy.holdNext((method, url, text) => method === 'POST' && url.endsWith('/toggle_status') && text.includes('open'));
      await runtime.requestHandoff();
      await held;
      await alive.killHard();
      proxy.release();
      await adam.take(endUser);
      await adam.reply(endUser, 'Done.');
      await adam.resolve(endUser);

      // The reading at the start comes long before the lease of the dead one is over.
      alive = await fleet.add(alive.port);
      const spoken = ['handoff ACTIVE by Adam Agent', 'Adam Agent: Done.'];
      expect(await settled(() => runtime.inbox(), spoken)).toEqual(spoken);
      await endLeases();
      await runtime.acknowledge();
      const outcome = ['outcome ENDED, AGENT_RESOLVED, by Adam Agent'];
      expect(await settled(() => runtime.inbox(), outcome)).toEqual(outcome);
      expect((await adam.see(endUser))[0]!.standing).toBe('resolved');
    } finally {
      await proxy.stop();
    }
  });
});

describe('a replica that is killed while it opens a handoff at the desk', () => {
  /** Somebody else holds the table: the desk's write waits in Postgres. */
  async function holdTable(table: string): Promise<{ held: Promise<void>; release(): Promise<void> }> {
    const holder = new Client({ connectionString: database.url });
    await holder.connect();
    await holder.query('begin');
    await holder.query(`lock table ${table} in share row exclusive mode`);
    const waiting = async () => Number((await sql.query(`
      select count(*) from pg_locks l join pg_class c on c.oid = l.relation where c.relname = $1 and not l.granted`, [table])).rows[0].count) > 0;
    return {
      held: settled(waiting, true).then((isWaiting) => { if (!isWaiting) throw new Error(`Nobody wanted to write to ${table}.`); }),
      async release() {
        await holder.query('rollback');
        await holder.end();
      },
    };
  }

  const deskNow = () => new DeskStage(alive.url, fleet.gateway('org-desk'));
  let story: Story;
  beforeAll(async () => { story = await storyAt('org-desk', deskNow(), { mirroring: 'ON_HANDOFF' }); });

  it.each([
    ['the contact', 'desk_contact'], ['the conversation', 'desk_conversation'], ['the history', 'desk_message'],
  ])('in the middle of writing %s leaves it to another, and nothing is there twice', async (what, table) => {
    const { held, release } = await holdTable(table);
    await killedWhile('org-desk', story, `Ida, ${what}`, held, release);
    const { agent: adam } = await deskNow().staff();
    expect(await adam.see(`Ida, ${what}`)).toEqual(whole(story));
  });
});

describe('a service that was stopped', () => {
  it('brings everything that agents wrote and did meanwhile, once and in order, before the outcome', async () => {
    const story = await storyAt('org-stopped', new ChatwootStage(double.baseUrl, double.platformToken));
    const { runtime, adam } = story;
    await runtime.open({ name: story.endUser });
    await runtime.userSays('A person, please.');
    await runtime.requestHandoff({ resumeTarget: 'after-help' });
    expect(await settled(() => runtime.inbox(), QUEUED)).toEqual(QUEUED);
    await runtime.acknowledge();

    expect(await alive.stop()).toBe(0);
    await adam.take(story.endUser);
    const lines = Array.from({ length: 25 }, (_, i) => `Answer ${i + 1}`);
    for (const line of lines) await adam.reply(story.endUser, line);
    await adam.note(story.endUser, 'What a talker.');
    await adam.resolve(story.endUser);
    await double.settled();

    alive = await fleet.add(alive.port);
    const spoken = ['handoff ACTIVE by Adam Agent', ...lines.map((line) => `Adam Agent: ${line}`)];
    expect(await settled(() => runtime.inbox(), spoken)).toEqual(spoken);
    const ending = { state: 'ENDING', control: 'HUMAN' };
    const standing = async () => {
      const { handoff, session } = await runtime.explain();
      return { state: handoff?.state ?? 'none', control: session.control };
    };
    expect(await settled(standing, ending)).toEqual(ending);
    await runtime.acknowledge();
    const outcome = ['outcome ENDED, AGENT_RESOLVED, by Adam Agent, go on at after-help'];
    expect(await settled(() => runtime.inbox(), outcome)).toEqual(outcome);
    expect((await runtime.explain()).session.control).toBe('BOT');
  });
});
