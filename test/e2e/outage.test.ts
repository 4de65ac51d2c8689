import { AcknowledgeDocument, RuntimeInboxDocument, type RuntimeInboxQuery } from '../../examples/generated/client';
import { DeskDemoAdapter } from '../../scripts/demo/desk-adapter';
import type { DemoAgent } from '../../scripts/demo/demo-adapter';
import { pollUntilEqual } from '../../scripts/demo/step';
import { startChatwootDouble, type ChatwootDouble } from '../../src/providers/chatwoot/testing/double';
import { KillTest, KillSession, type TestOrganization } from '../support/kill-test';
import { ChatwootAgents, DeskAgents, serveDeskAlone, type AgentActions } from '../support/agent-actions';

jest.setTimeout(600_000);

/*
 * The service is down, and people continue: each of these conversations is in another state when it stops, and
 * something else happens in it meanwhile. Once it is back, the runtime has collected the same, and agents see the same,
 * as with a service that was up all the time.
 */

interface Plot {
  before(session: KillSession, agents: AgentActions): Promise<unknown>;
  meanwhile(endUser: string, agents: AgentActions): Promise<unknown>;
  /** Of the handoff at the end; null: none. */
  readonly then: string | null;
  /** Public messages of agents that were not collected before. */
  readonly newMessages: number;
}

/** More than any provider returns in one page. */
const MANY = 120;
const asks = async (session: KillSession) => {
  await session.sendMessages('Hello?', 'Hello!', 'A person, please.');
  await session.ask();
};
const waits = async (session: KillSession) => {
  await asks(session);
  await session.waitUntilIdle('QUEUED');
};
const isTaken = async (session: KillSession, agents: AgentActions) => {
  await waits(session);
  await agents.take(session.endUser);
  await session.waitUntilIdle('ASSIGNED');
};
const isTalking = async (session: KillSession, agents: AgentActions) => {
  await isTaken(session, agents);
  await agents.reply(session.endUser, 'Here I am.');
  await session.waitUntilIdle('ACTIVE');
};
const isWithTheBot = async (session: KillSession) => {
  await session.sendMessages('Hello?', 'Hello!');
  await session.waitUntilIdle(null);
};

const PLOTS: Readonly<Record<string, Plot>> = {
  'waiting in the queue': {
    before: waits,
    async meanwhile(endUser, agents) {
      await agents.take(endUser);
      await agents.reply(endUser, 'How can I help?');
      await agents.resolve(endUser);
    },
    then: null,
    newMessages: 1,
  },
  'taken and not answered': {
    before: isTaken,
    async meanwhile(endUser, agents) {
      await agents.note(endUser, 'What a talker I am.');
      for (let i = 1; i <= MANY; i++) await agents.reply(endUser, `Answer ${i}`);
      await agents.attach(endUser, 'terms.txt', 'The small print');
      await agents.reply(endUser, 'Goodbye.');
      await agents.resolve(endUser);
    },
    then: null,
    newMessages: MANY + 2,
  },
  'under way, and passed on': {
    before: isTalking,
    async meanwhile(endUser, agents) {
      await agents.transfer(endUser, 'Olga Owner');
      await agents.reply(endUser, 'Olga here.', 'Olga Owner');
      await agents.giveBack(endUser, 'Olga Owner');
    },
    then: null,
    newMessages: 1,
  },
  'under way, and going on': {
    before: isTalking,
    async meanwhile(endUser, agents) {
      await agents.reply(endUser, 'One moment.');
      await agents.attach(endUser, 'bill.txt', 'The bill');
    },
    then: 'ACTIVE',
    newMessages: 2,
  },
  'on hold': {
    async before(session, agents) {
      await isTalking(session, agents);
      await agents.snooze(session.endUser);
      await session.waitUntilIdle('ON_HOLD');
    },
    async meanwhile(endUser, agents) {
      await agents.reply(endUser, 'I have found it.');
      await agents.resolve(endUser);
    },
    then: null,
    newMessages: 1,
  },
  'ending, with words that are not collected': {
    async before(session, agents) {
      await isTalking(session, agents);
      await agents.reply(session.endUser, 'Farewell.');
      await agents.resolve(session.endUser);
      await session.waitForState('ENDING');
    },
    meanwhile: (endUser, agents) => agents.note(endUser, 'That was quick.'),
    then: null,
    newMessages: 1,
  },
  'with the bot, and spoken to': {
    before: isWithTheBot,
    async meanwhile(endUser, agents) {
      await agents.reply(endUser, 'May I?');
      await agents.attach(endUser, 'map.txt', 'The way');
    },
    then: 'ACTIVE',
    newMessages: 2,
  },
  'with the bot, and taken': {
    before: isWithTheBot,
    meanwhile: (endUser, agents) => agents.take(endUser),
    then: 'ASSIGNED',
    newMessages: 0,
  },
  'with the bot, and noted on': {
    before: isWithTheBot,
    meanwhile: (endUser, agents) => agents.note(endUser, 'Let us see.'),
    then: null,
    newMessages: 0,
  },
  // Last: the service stops right after its response, at whatever step the opening is.
  'just asked for': { before: asks, meanwhile: async () => undefined, then: 'QUEUED', newMessages: 0 },
};

let killTest: KillTest;
let double: ChatwootDouble;
beforeAll(async () => {
  double = await startChatwootDouble();
  killTest = await KillTest.open(['org-chatwoot', 'org-desk']);
});
afterAll(async () => {
  await killTest?.close();
  await double?.stop();
});

interface Place {
  readonly home: TestOrganization;
  readonly agents: AgentActions;
  adam(): Promise<DemoAgent>;
  serviceIsAway(): Promise<void>;
  serviceIsBack(): Promise<void>;
}

async function atChatwoot(): Promise<Place> {
  const agents = new ChatwootAgents(double);
  const home = { organization: 'org-chatwoot', context: await killTest.createOrganization('org-chatwoot', agents, {}) };
  return {
    home,
    agents: agents,
    adam: async () => home.context.adam,
    // Nothing reaches it later, either.
    serviceIsAway: async () => double.dropWebhooks(),
    serviceIsBack: async () => undefined,
  };
}

async function atTheDesk(): Promise<Place> {
  let alone: Awaited<ReturnType<typeof serveDeskAlone>> | null = null;
  const identity = killTest.fleet.gateway('org-desk');
  const adapter = (): DeskDemoAdapter => new DeskDemoAdapter(killTest.alive.url, identity);
  const home = { organization: 'org-desk', context: await killTest.createOrganization('org-desk', adapter(), {}) };
  return {
    home,
    agents: new DeskAgents(() => alone?.url ?? killTest.alive.url, identity),
    adam: async () => (await adapter().addStaff()).agent,
    async serviceIsAway() {
      alone = await serveDeskAlone(killTest.sql, 'org-desk');
    },
    async serviceIsBack() {
      await alone!.stop();
      alone = null;
    },
  };
}

type Delivery = RuntimeInboxQuery['supportRuntimeInbox']['nodes'][number];

/**
 * Everything that the runtime still gets, except states: how many of them are seen depends on the time of the reads.
 */
class Collector {
  readonly lines: string[] = [];
  constructor(private readonly session: KillSession) {}

  get words(): number {
    return this.lines.filter(line => !/^(outcome|SYSTEM)/.test(line)).length;
  }

  /** The final state, once everything pending was collected. */
  async look() {
    const runtime = await this.session.runtime();
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

  /** What agents see of it. */
  async all(adam: DemoAgent): Promise<object> {
    const now = await this.look();
    return { ...now, lines: [...this.lines], screens: await adam.readConversations(this.session.endUser) };
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
  const { home, agents: agents } = place;
  const adam = await place.adam();

  // The result without any outage.
  const expected: Record<string, object> = {};
  await Promise.all(
    Object.entries(PLOTS).map(async ([title, { before, meanwhile, then, newMessages: words }]) => {
      const session = new KillSession(killTest, home, `${title}, at ease`);
      await before(session, agents);
      await meanwhile(session.endUser, agents);
      const collector = new Collector(session);
      const atRest = { words, state: then, owed: 0 };
      const look = async () => {
        const { words: said, state, owed: pending } = await collector.look();
        return { words: said, state, owed: pending };
      };
      expect({ title, ...(await pollUntilEqual(look, atRest)) }).toEqual({ title, ...atRest });
      expected[title] = await collector.all(adam);
    }),
  );

  const sessions = Object.entries(PLOTS).map(([title, plot]) => ({
    title,
    plot,
    talk: new KillSession(killTest, home, `${title}, away`),
  }));
  await Promise.all(sessions.slice(0, -1).map(({ plot, talk: session }) => plot.before(session, agents)));
  await sessions.at(-1)!.plot.before(sessions.at(-1)!.talk, agents);
  await killTest.alive.kill();
  await place.serviceIsAway();
  for (const { plot, talk: session } of sessions) await plot.meanwhile(session.endUser, agents);
  await place.serviceIsBack();
  await killTest.endLeases();
  await killTest.start();

  const seen: Record<string, object> = {};
  const there = await place.adam();
  for (const { title, talk: session } of sessions) {
    const collector = new Collector(session);
    seen[title] = await pollUntilEqual(() => collector.all(there), expected[title]!);
  }
  expect(seen).toEqual(expected);
  expect(JSON.stringify(seen)).toContain(`Answer ${MANY}`);
});
