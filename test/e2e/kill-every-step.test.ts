import { ChatwootStage } from '../../scripts/demo/chatwoot-stage';
import { settled } from '../../scripts/demo/step';
import { startChatwootDouble, type ChatwootDouble } from '../../src/providers/chatwoot/testing/double';
import { KillRoom, Talk, type House } from '../support/kill-room';
import { startStepProxy, type StepProxy } from '../support/step-proxy';

jest.setTimeout(600_000);

/*
 * A process is killed behind each write of a way through Chatwoot: when it has taken effect there, and before we knew. The
 * writes are those that an undisturbed run makes, so none can be forgotten.
 */

let room: KillRoom;
let double: ChatwootDouble;
let proxy: StepProxy;

beforeAll(async () => {
  double = await startChatwootDouble();
  proxy = await startStepProxy(double.baseUrl);
  room = await KillRoom.open(['org-team', 'org-person', 'org-quick']);
});

afterAll(async () => {
  await room?.close();
  await proxy?.stop();
  await double?.stop();
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

  /** Contacts, conversations, and everything said, noted or done in them. */
  async historyOf(endUser: string): Promise<object> {
    await double.settled();
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
    const events = double.deliveries().filter(({ receiver, body }) => receiver === 'account' && numberIn(body) === number);
    return {
      status, priority, team: meta.team?.name ?? null, agent: meta.assignee?.name ?? null,
      // What Chatwoot notes by itself comes a little later, before or behind what was said since.
      activities: messages.filter(({ message_type: type }) => type === ACTIVITY).map(({ content }) => content).sort(),
      lines: messages.filter(({ message_type: type }) => type !== ACTIVITY).map(({ message_type: type, private: isPrivate, content, attachments }) => `${type}${isPrivate ? ' private' : ''} ${content}${attachments ? ` +${attachments.length}` : ''}`),
      events: Object.fromEntries(TOLD_ONCE.map((event) => [event, events.filter((one) => one.event === event).length])),
    };
  }
}
interface Conversation { id: number; status: string; priority: string | null; meta: { team?: { name: string } | null; assignee?: { name: string } | null } }
interface Message { id: number; message_type: number; private: boolean; content: string | null; attachments?: unknown[] }

const ACTIVITY = 2;

/** Events that tell of something new; others repeat what is the case. */
const TOLD_ONCE = ['conversation_created', 'conversation_status_changed', 'message_created'];
function numberIn(body: string): number | undefined {
  const sent = body === '' ? {} : JSON.parse(body) as { id?: number; event?: string; conversation?: { id?: number } };
  return sent.event === 'message_created' ? sent.conversation?.id : sent.id;
}

async function houseAt(organization: string): Promise<House & { readonly stage: WatchedStage }> {
  const stage = new WatchedStage();
  return {
    organization, stage, story: await room.storyAt(organization, stage), historyOf: (endUser) => stage.historyOf(endUser),
    steps: {
      of: async (sessionId) => proxy.writesOf(sessionId),
      async hold(sessionId, index) {
        const reached = proxy.holdNext(sessionId, (count) => count === index);
        return () => reached;
      },
      release: async () => proxy.release(),
    },
  };
}

const SPOKEN = ['Hello?', 'Hello!', 'A person, please.'];
const LONG = Array.from({ length: 52 }, (_, i) => `Line ${i + 1}`);

describe('a replica that is killed behind any of its writes leaves it to the next, and nothing is there twice', () => {
  let house: House;
  beforeAll(async () => { house = await houseAt('org-team'); });

  const toTheTeam = (talk: Talk) => talk.ask({ target: { team: house.story.teamId } });
  const opened = async (talk: Talk) => {
    await talk.says(...SPOKEN);
    await toTheTeam(talk);
    await talk.rests('QUEUED');
  };

  it('opening a first handoff', () => room.killedBehindEach(house, 'first', {
    before: (talk) => talk.says(...SPOKEN), now: toTheTeam, then: 'QUEUED',
    has: ['POST /contacts', 'POST /conversations', 'POST /conversations/messages: Hello?', 'POST /conversations/messages: Handed over by the bot.', 'POST /conversations/assignments: team_id n', 'POST /conversations/toggle_status: status open'],
  }));

  it('opening one with a long talk', () => room.killedBehindEach(house, 'long', {
    before: (talk) => talk.says(...LONG), now: toTheTeam, then: 'QUEUED', has: ['POST /conversations/messages with a file', 'POST /conversations/messages: Line 52'],
  }));

  it('opening a second one, on which the first has left its traces', () => room.killedBehindEach(house, 'second', {
    async before(talk) {
      const { adam } = house.story;
      await opened(talk);
      await adam.take(talk.endUser);
      await talk.rests('ASSIGNED');
      // What Chatwoot itself notes about it comes a little later.
      await double.settled();
      await adam.reply(talk.endUser, 'Here I am.');
      await talk.rests('ACTIVE');
      await adam.resolve(talk.endUser);
      await talk.rests(null);
      await talk.says('Once more, please.', 'Of course.');
    },
    now: toTheTeam, then: 'QUEUED',
    has: ['POST /conversations/toggle_status: status pending', 'POST /conversations/assignments: assignee_id null', 'POST /conversations/assignments: team_id 0', 'POST /conversations/toggle_priority: priority null'],
  }));

  it.each(['BOT_CANCELLED', 'USER_ENDED'] as const)('giving it back (%s)', (reason) => room.killedBehindEach(house, reason, {
    async before(talk) {
      await opened(talk);
      await house.story.adam.take(talk.endUser);
      await talk.rests('ASSIGNED');
    },
    now: (talk) => talk.cancel(reason), then: null,
    has: [`POST /conversations/toggle_status: status ${reason === 'USER_ENDED' ? 'resolved' : 'pending'}`],
  }));

  it('opening what an agent has taken over', () => room.killedBehindEach(house, 'takeover', {
    async before(talk) {
      await opened(talk);
      await talk.cancel('BOT_CANCELLED');
      await talk.rests(null);
      await talk.says('I think I manage.', 'Good.');
    },
    now: (talk) => house.story.adam.reply(talk.endUser, 'May I help?'), then: 'ACTIVE',
    has: ['POST /conversations/messages: I think I manage.', 'POST /conversations/assignments: assignee_id n', 'POST /conversations/toggle_status: status open'],
  }));
});

describe('a person who is asked for by name, where Chatwoot\'s round robin wants another', () => {
  it('has it in the end, whichever write was the last', async () => {
    const house = await houseAt('org-person');
    await house.stage.switchRoundRobinOn();
    const people = await house.stage.asOwner<{ id: number; name: string }[]>('GET', '/agents');
    const olga = String(people.find(({ name }) => name === 'Olga Owner')!.id);
    const assigned = 'POST /conversations/assignments: assignee_id n';
    await room.killedBehindEach(house, 'person', {
      before: (talk) => talk.says(...SPOKEN), now: (talk) => talk.ask({ target: { agent: olga } }), then: 'ASSIGNED',
      has: [assigned, 'POST /conversations/toggle_status: status open'],
    });
  });
});

describe('people who are quicker than the next replica', () => {
  it('are believed: what they resolved after a kill stays resolved', async () => {
    const house = await houseAt('org-quick');
    const { adam } = house.story;
    const talk = new Talk(room, house, 'quick');
    await talk.says('A person, please.');
    const held = proxy.holdNext(await talk.session(), (_, name) => name.endsWith('status open'));
    await talk.ask();
    await held;
    await room.alive.killHard();
    proxy.release();
    await adam.take(talk.endUser);
    await adam.reply(talk.endUser, 'Done.');
    await adam.resolve(talk.endUser);

    // The reading at the start comes long before the lease of the dead one is over.
    await room.start();
    const runtime = await talk.runtime();
    const spoken = ['handoff ACTIVE by Adam Agent', 'Adam Agent: Done.'];
    expect(await settled(() => runtime.inbox(), spoken)).toEqual(spoken);
    await room.endLeases();
    await runtime.acknowledge();
    const outcome = ['outcome ENDED, AGENT_RESOLVED, by Adam Agent'];
    expect(await settled(() => runtime.inbox(), outcome)).toEqual(outcome);
    expect((await adam.see(talk.endUser))[0]!.standing).toBe('resolved');
  });
});
