import { AcknowledgeDocument, RuntimeInboxDocument, type RuntimeInboxQuery } from '../../examples/generated/client';
import { DeskDemoAdapter } from '../../scripts/demo/desk-adapter';
import type { DemoAgent } from '../../scripts/demo/demo-adapter';
import { pollUntilEqual } from '../../scripts/demo/step';
import { startChatwootDouble, type ChatwootDouble } from '../../src/providers/chatwoot/testing/double';
import { KillTest, KillSession, type TestOrganization } from '../support/kill-test';
import { ChatwootAgents, DeskAgents, serveDeskAlone, type AgentActions } from '../support/agent-actions';

jest.setTimeout(600_000);

/*
 * The service is away, and people go on: each of these talks is in another state when it goes, and something else is done
 * with it meanwhile. When it is back, the runtime has collected the same, and agents see the same, as with a service that
 * was there all the time.
 */

interface Plot {
  before(talk: KillSession, people: AgentActions): Promise<unknown>;
  meanwhile(endUser: string, people: AgentActions): Promise<unknown>;
  /** Of the handoff in the end; null: none. */
  readonly then: string | null;
  /** Said in public by people and not collected before. */
  readonly words: number;
}

/** More than any provider gives in one page. */
const MANY = 120;
const asks = async (talk: KillSession) => {
  await talk.sendMessages('Hello?', 'Hello!', 'A person, please.');
  await talk.ask();
};
const waits = async (talk: KillSession) => {
  await asks(talk);
  await talk.waitUntilIdle('QUEUED');
};
const isTaken = async (talk: KillSession, people: AgentActions) => {
  await waits(talk);
  await people.take(talk.endUser);
  await talk.waitUntilIdle('ASSIGNED');
};
const isTalking = async (talk: KillSession, people: AgentActions) => {
  await isTaken(talk, people);
  await people.reply(talk.endUser, 'Here I am.');
  await talk.waitUntilIdle('ACTIVE');
};
const isWithTheBot = async (talk: KillSession) => {
  await talk.sendMessages('Hello?', 'Hello!');
  await talk.waitUntilIdle(null);
};

const PLOTS: Readonly<Record<string, Plot>> = {
  'waiting in the queue': {
    before: waits,
    async meanwhile(endUser, people) {
      await people.take(endUser);
      await people.reply(endUser, 'How can I help?');
      await people.resolve(endUser);
    },
    then: null,
    words: 1,
  },
  'taken and not answered': {
    before: isTaken,
    async meanwhile(endUser, people) {
      await people.note(endUser, 'What a talker I am.');
      for (let i = 1; i <= MANY; i++) await people.reply(endUser, `Answer ${i}`);
      await people.attach(endUser, 'terms.txt', 'The small print');
      await people.reply(endUser, 'Goodbye.');
      await people.resolve(endUser);
    },
    then: null,
    words: MANY + 2,
  },
  'under way, and passed on': {
    before: isTalking,
    async meanwhile(endUser, people) {
      await people.transfer(endUser, 'Olga Owner');
      await people.reply(endUser, 'Olga here.', 'Olga Owner');
      await people.giveBack(endUser, 'Olga Owner');
    },
    then: null,
    words: 1,
  },
  'under way, and going on': {
    before: isTalking,
    async meanwhile(endUser, people) {
      await people.reply(endUser, 'One moment.');
      await people.attach(endUser, 'bill.txt', 'The bill');
    },
    then: 'ACTIVE',
    words: 2,
  },
  'on hold': {
    async before(talk, people) {
      await isTalking(talk, people);
      await people.snooze(talk.endUser);
      await talk.waitUntilIdle('ON_HOLD');
    },
    async meanwhile(endUser, people) {
      await people.reply(endUser, 'I have found it.');
      await people.resolve(endUser);
    },
    then: null,
    words: 1,
  },
  'ending, with words that are not collected': {
    async before(talk, people) {
      await isTalking(talk, people);
      await people.reply(talk.endUser, 'Farewell.');
      await people.resolve(talk.endUser);
      await talk.waitForState('ENDING');
    },
    meanwhile: (endUser, people) => people.note(endUser, 'That was quick.'),
    then: null,
    words: 1,
  },
  'with the bot, and spoken to': {
    before: isWithTheBot,
    async meanwhile(endUser, people) {
      await people.reply(endUser, 'May I?');
      await people.attach(endUser, 'map.txt', 'The way');
    },
    then: 'ACTIVE',
    words: 2,
  },
  'with the bot, and taken': {
    before: isWithTheBot,
    meanwhile: (endUser, people) => people.take(endUser),
    then: 'ASSIGNED',
    words: 0,
  },
  'with the bot, and noted on': {
    before: isWithTheBot,
    meanwhile: (endUser, people) => people.note(endUser, 'Let us see.'),
    then: null,
    words: 0,
  },
  // Last: the service goes right behind its answer, at whatever step of the opening it is.
  'just asked for': { before: asks, meanwhile: async () => undefined, then: 'QUEUED', words: 0 },
};

let room: KillTest;
let double: ChatwootDouble;
beforeAll(async () => {
  double = await startChatwootDouble();
  room = await KillTest.open(['org-chatwoot', 'org-desk']);
});
afterAll(async () => {
  await room?.close();
  await double?.stop();
});

interface Place {
  readonly home: TestOrganization;
  readonly people: AgentActions;
  adam(): Promise<DemoAgent>;
  serviceIsAway(): Promise<void>;
  serviceIsBack(): Promise<void>;
}

async function atChatwoot(): Promise<Place> {
  const people = new ChatwootAgents(double);
  const home = { organization: 'org-chatwoot', context: await room.createOrganization('org-chatwoot', people, {}) };
  return {
    home,
    people,
    adam: async () => home.context.adam,
    // Nor does anything reach it later.
    serviceIsAway: async () => double.dropWebhooks(),
    serviceIsBack: async () => undefined,
  };
}

async function atTheDesk(): Promise<Place> {
  let alone: Awaited<ReturnType<typeof serveDeskAlone>> | null = null;
  const identity = room.fleet.gateway('org-desk');
  const stage = (): DeskDemoAdapter => new DeskDemoAdapter(room.alive.url, identity);
  const home = { organization: 'org-desk', context: await room.createOrganization('org-desk', stage(), {}) };
  return {
    home,
    people: new DeskAgents(() => alone?.url ?? room.alive.url, identity),
    adam: async () => (await stage().addStaff()).agent,
    async serviceIsAway() {
      alone = await serveDeskAlone(room.sql, 'org-desk');
    },
    async serviceIsBack() {
      await alone!.stop();
      alone = null;
    },
  };
}

type Delivery = RuntimeInboxQuery['supportRuntimeInbox']['nodes'][number];

/** Everything that the runtime still gets, states left out: how many of them are seen depends on when one looks. */
class Collector {
  readonly lines: string[] = [];
  constructor(private readonly talk: KillSession) {}

  get words(): number {
    return this.lines.filter(line => !/^(outcome|SYSTEM)/.test(line)).length;
  }

  /** Where it stands, once everything that waits was collected. */
  async look() {
    const runtime = await this.talk.runtime();
    const { nodes } = (await runtime.client.call(RuntimeInboxDocument, { sessionId: runtime.session, first: 100 }))
      .supportRuntimeInbox;
    if (nodes.length > 0) await runtime.client.call(AcknowledgeDocument, { input: { ids: nodes.map(({ id }) => id) } });
    this.lines.push(...nodes.flatMap(({ notice }) => lineOf(notice)));
    const {
      session: { control },
      handoff,
      pendingDeliveries,
      mayReply,
    } = await runtime.explain();
    return {
      words: this.words,
      state: stateOf(handoff),
      owed: pendingDeliveries.provider + pendingDeliveries.runtime,
      control,
      mayReply,
    };
  }

  /** And what agents see of it. */
  async all(adam: DemoAgent): Promise<object> {
    const now = await this.look();
    return { ...now, lines: [...this.lines], screens: await adam.readConversations(this.talk.endUser) };
  }
}
const stateOf = (handoff: { readonly state: string } | null) =>
  handoff === null || handoff.state === 'ENDED' ? null : handoff.state;

function lineOf(notice: Delivery['notice']): string[] {
  switch (notice.__typename) {
    case 'SupportMessageNotice':
      return [
        `${notice.message.authorName ?? notice.message.author}: ${notice.message.text}${notice.message.attachments.map(({ name }) => ` [${name}]`).join('')}`,
      ];
    case 'HandoffOutcomeNotice':
      return [`outcome ${notice.outcome.state} ${notice.outcome.reason} by ${notice.outcome.agent?.name}`];
    case 'HandoffStateNotice':
      return [];
    default:
      return [notice.__typename];
  }
}

it.each([
  ['chatwoot', atChatwoot],
  ['the desk', atTheDesk],
])('everything that is said and done at %s meanwhile arrives once, in order, before the outcome', async (_, open) => {
  const place = await open();
  const { home, people } = place;
  const adam = await place.adam();

  // As it is when nothing is ever away.
  const expected: Record<string, object> = {};
  await Promise.all(
    Object.entries(PLOTS).map(async ([title, { before, meanwhile, then, words }]) => {
      const talk = new KillSession(room, home, `${title}, at ease`);
      await before(talk, people);
      await meanwhile(talk.endUser, people);
      const collector = new Collector(talk);
      const atRest = { words, state: then, owed: 0 };
      const look = async () => {
        const { words: said, state, owed } = await collector.look();
        return { words: said, state, owed };
      };
      expect({ title, ...(await pollUntilEqual(look, atRest)) }).toEqual({ title, ...atRest });
      expected[title] = await collector.all(adam);
    }),
  );

  const talks = Object.entries(PLOTS).map(([title, plot]) => ({
    title,
    plot,
    talk: new KillSession(room, home, `${title}, away`),
  }));
  await Promise.all(talks.slice(0, -1).map(({ plot, talk }) => plot.before(talk, people)));
  await talks.at(-1)!.plot.before(talks.at(-1)!.talk, people);
  await room.alive.kill();
  await place.serviceIsAway();
  for (const { plot, talk } of talks) await plot.meanwhile(talk.endUser, people);
  await place.serviceIsBack();
  await room.endLeases();
  await room.start();

  const seen: Record<string, object> = {};
  const there = await place.adam();
  for (const { title, talk } of talks) {
    const collector = new Collector(talk);
    seen[title] = await pollUntilEqual(() => collector.all(there), expected[title]!);
  }
  expect(seen).toEqual(expected);
  expect(JSON.stringify(seen)).toContain(`Answer ${MANY}`);
});
