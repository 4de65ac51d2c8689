import { ChatwootDemoAdapter } from '../../scripts/demo/chatwoot-adapter';
import { pollUntilEqual } from '../../scripts/demo/step';
import { startChatwootDouble, type ChatwootDouble } from '../../src/providers/chatwoot/testing/double';
import { KillTest, KillSession, type KillTarget } from '../support/kill-test';
import { startStepProxy, type StepProxy } from '../support/step-proxy';

jest.setTimeout(600_000);

/*
 * A process is killed behind each write of a way through Chatwoot: when it has taken effect there, and before we knew. The
 * writes are those that an undisturbed run makes, so none can be forgotten.
 */

let room: KillTest;
let double: ChatwootDouble;
let proxy: StepProxy;

beforeAll(async () => {
  double = await startChatwootDouble();
  proxy = await startStepProxy(double.baseUrl);
  room = await KillTest.open(['org-team', 'org-person', 'org-quick']);
});

afterAll(async () => {
  await room?.close();
  await proxy?.stop();
  await double?.stop();
});

/** The service goes through the proxy; people do not. */
class WatchedStage extends ChatwootDemoAdapter {
  constructor() {
    super(double.baseUrl, double.platformToken);
  }
  override get enableSettings() {
    return { ...super.enableSettings, baseUrl: proxy.url };
  }

  async asOwner<T>(method: string, path: string, body?: unknown): Promise<T> {
    return (await this.inAccount(await this.administrator(), method, path, body)) as T;
  }

  /** From now on whoever is online gets what is opened; and one of them is. */
  async switchRoundRobinOn(): Promise<void> {
    const {
      payload: [inbox],
    } = await this.asOwner<{ payload: { id: number }[] }>('GET', '/inboxes');
    await this.asOwner('PATCH', `/inboxes/${inbox!.id}`, { enable_auto_assignment: true });
    for (const { id, name } of await this.asOwner<{ id: number; name: string }[]>('GET', '/agents'))
      if (name === 'Adam Agent') double.setOnline(id);
  }

  /** Contacts, conversations, and everything said, noted or done in them. */
  async historyOf(endUser: string): Promise<object> {
    await double.settled();
    const { payload: contacts } = await this.asOwner<{ payload: { id: number; name: string }[] }>(
      'GET',
      `/contacts/search?q=${encodeURIComponent(endUser)}`,
    );
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
    for (let before = ''; ; ) {
      const { payload } = await this.asOwner<{ payload: Message[] }>(
        'GET',
        `/conversations/${number}/messages${before}`,
      );
      if (payload.length === 0) break;
      messages.unshift(...payload);
      before = `?before=${Math.min(...payload.map(({ id }) => id))}`;
    }
    const events = double
      .deliveries()
      .filter(({ receiver, body }) => receiver === 'account' && numberIn(body) === number);
    return {
      status,
      priority,
      team: meta.team?.name ?? null,
      agent: meta.assignee?.name ?? null,
      // What Chatwoot notes by itself comes a little later, before or behind what was said since.
      activities: messages
        .filter(({ message_type: type }) => type === ACTIVITY)
        .map(({ content }) => content)
        .sort(),
      lines: messages
        .filter(({ message_type: type }) => type !== ACTIVITY)
        .map(
          ({ message_type: type, private: isPrivate, content, attachments }) =>
            `${type}${isPrivate ? ' private' : ''} ${content}${attachments ? ` +${attachments.length}` : ''}`,
        ),
      events: Object.fromEntries(TOLD_ONCE.map(event => [event, events.filter(one => one.event === event).length])),
    };
  }
}
interface Conversation {
  id: number;
  status: string;
  priority: string | null;
  meta: { team?: { name: string } | null; assignee?: { name: string } | null };
}
interface Message {
  id: number;
  message_type: number;
  private: boolean;
  content: string | null;
  attachments?: unknown[];
}

const ACTIVITY = 2;

/** Events that tell of something new; others repeat what is the case. */
const TOLD_ONCE = ['conversation_created', 'conversation_status_changed', 'message_created'];
function numberIn(body: string): number | undefined {
  const sent = body === '' ? {} : (JSON.parse(body) as { id?: number; event?: string; conversation?: { id?: number } });
  return sent.event === 'message_created' ? sent.conversation?.id : sent.id;
}

async function houseAt(organization: string): Promise<KillTarget & { readonly stage: WatchedStage }> {
  const stage = new WatchedStage();
  return {
    organization,
    stage,
    context: await room.createOrganization(organization, stage),
    historyOf: endUser => stage.historyOf(endUser),
    steps: {
      of: async sessionId => proxy.writesOf(sessionId),
      async hold(sessionId, index) {
        const reached = proxy.holdNext(sessionId, count => count === index);
        return () => reached;
      },
      release: async () => proxy.release(),
    },
  };
}

const SPOKEN = ['Hello?', 'Hello!', 'A person, please.'];
const LONG = Array.from({ length: 52 }, (_, i) => `Line ${i + 1}`);

describe('a replica that is killed behind any of its writes leaves it to the next, and nothing is there twice', () => {
  let house: KillTarget;
  beforeAll(async () => {
    house = await houseAt('org-team');
  });

  const toTheTeam = (talk: KillSession) => talk.ask({ target: { team: house.context.teamId } });
  const opened = async (talk: KillSession) => {
    await talk.sendMessages(...SPOKEN);
    await toTheTeam(talk);
    await talk.waitUntilIdle('QUEUED');
  };

  it('opening a first handoff', () =>
    room.killAfterEachStep(house, 'first', {
      before: talk => talk.sendMessages(...SPOKEN),
      act: toTheTeam,
      finalState: 'QUEUED',
      requiredSteps: [
        'POST /contacts',
        'POST /conversations',
        'POST /conversations/messages: Hello?',
        'POST /conversations/messages: Handed over by the bot.',
        'POST /conversations/assignments: team_id n',
        'POST /conversations/toggle_status: status open',
      ],
    }));

  it('opening one with a long talk', () =>
    room.killAfterEachStep(house, 'long', {
      before: talk => talk.sendMessages(...LONG),
      act: toTheTeam,
      finalState: 'QUEUED',
      requiredSteps: ['POST /conversations/messages with a file', 'POST /conversations/messages: Line 52'],
    }));

  it('opening a second one, on which the first has left its traces', () =>
    room.killAfterEachStep(house, 'second', {
      async before(talk) {
        const { adam } = house.context;
        await opened(talk);
        await adam.take(talk.endUser);
        await talk.waitUntilIdle('ASSIGNED');
        // What Chatwoot itself notes about it comes a little later.
        await double.settled();
        await adam.reply(talk.endUser, 'Here I am.');
        await talk.waitUntilIdle('ACTIVE');
        await adam.resolve(talk.endUser);
        await talk.waitUntilIdle(null);
        await talk.sendMessages('Once more, please.', 'Of course.');
      },
      act: toTheTeam,
      finalState: 'QUEUED',
      requiredSteps: [
        'POST /conversations/toggle_status: status pending',
        'POST /conversations/assignments: assignee_id null',
        'POST /conversations/assignments: team_id 0',
        'POST /conversations/toggle_priority: priority null',
      ],
    }));

  it.each(['BOT_CANCELLED', 'USER_ENDED'] as const)('giving it back (%s)', reason =>
    room.killAfterEachStep(house, reason, {
      async before(talk) {
        await opened(talk);
        await house.context.adam.take(talk.endUser);
        await talk.waitUntilIdle('ASSIGNED');
      },
      act: talk => talk.cancel(reason),
      finalState: null,
      requiredSteps: [`POST /conversations/toggle_status: status ${reason === 'USER_ENDED' ? 'resolved' : 'pending'}`],
    }),
  );

  it('opening what an agent has taken over', () =>
    room.killAfterEachStep(house, 'takeover', {
      async before(talk) {
        await opened(talk);
        await talk.cancel('BOT_CANCELLED');
        await talk.waitUntilIdle(null);
        await talk.sendMessages('I think I manage.', 'Good.');
      },
      act: talk => house.context.adam.reply(talk.endUser, 'May I help?'),
      finalState: 'ACTIVE',
      requiredSteps: [
        'POST /conversations/messages: I think I manage.',
        'POST /conversations/assignments: assignee_id n',
        'POST /conversations/toggle_status: status open',
      ],
    }));
});

describe("a person who is asked for by name, where Chatwoot's round robin wants another", () => {
  it('has it in the end, whichever write was the last', async () => {
    const house = await houseAt('org-person');
    await house.stage.switchRoundRobinOn();
    const people = await house.stage.asOwner<{ id: number; name: string }[]>('GET', '/agents');
    const olga = String(people.find(({ name }) => name === 'Olga Owner')!.id);
    const assigned = 'POST /conversations/assignments: assignee_id n';
    await room.killAfterEachStep(house, 'person', {
      before: talk => talk.sendMessages(...SPOKEN),
      act: talk => talk.ask({ target: { agent: olga } }),
      finalState: 'ASSIGNED',
      requiredSteps: [assigned, 'POST /conversations/toggle_status: status open'],
    });
  });
});

describe('people who are quicker than the next replica', () => {
  it('are believed: what they resolved after a kill stays resolved', async () => {
    const house = await houseAt('org-quick');
    const { adam } = house.context;
    const talk = new KillSession(room, house, 'quick');
    await talk.sendMessages('A person, please.');
    const held = proxy.holdNext(await talk.session(), (_, name) => name.endsWith('status open'));
    await talk.ask();
    await held;
    await room.alive.kill();
    proxy.release();
    await adam.take(talk.endUser);
    await adam.reply(talk.endUser, 'Done.');
    await adam.resolve(talk.endUser);

    // The reading at the start comes long before the lease of the dead one is over.
    await room.start();
    const runtime = await talk.runtime();
    const spoken = ['handoff ACTIVE by Adam Agent', 'Adam Agent: Done.'];
    expect(await pollUntilEqual(() => runtime.inbox(), spoken)).toEqual(spoken);
    await room.endLeases();
    await runtime.acknowledge();
    const outcome = ['outcome ENDED, AGENT_RESOLVED, by Adam Agent'];
    expect(await pollUntilEqual(() => runtime.inbox(), outcome)).toEqual(outcome);
    expect((await adam.readConversations(talk.endUser))[0]!.status).toBe('resolved');
  });
});
