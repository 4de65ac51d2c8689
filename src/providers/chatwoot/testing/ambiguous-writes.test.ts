import { randomUUID } from 'node:crypto';
import type { ConversationAccess } from '../../../core/ports/provider/access';
import { createChatwootWorld, type ChatwootWorld } from './chatwoot-world';
import type { FaultMode } from './double/control/faults';
import { ChatwootFixture } from './fixture';

/**
 * CONTRACT §6 and §8: after an error that may hide a stored write, a lookup follows. If the lookup fails, nothing is
 * written.
 */
let fixture: ChatwootFixture;
beforeAll(async () => {
  fixture = await ChatwootFixture.ready();
});
afterAll(() => fixture.stop());
afterEach(async () => {
  fixture.double.clearFaults();
  await fixture.double.outage(null);
});

const signal = () => fixture.signal();
const provider = () => fixture.provider;
const UNKNOWN = { code: 'PROVIDER_UNAVAILABLE', delivered: 'unknown' };
const UNAVAILABLE = { code: 'PROVIDER_UNAVAILABLE' };

/** Ways in which Chatwoot stores a write and hides that. */
const HIDDEN: [string, (path: RegExp) => Promise<void>][] = [
  [
    'a cut connection',
    async path => fixture.double.failNext({ match: { method: 'POST', path }, mode: 'applyThenCut' }),
  ],
  ['a 500', async path => fixture.double.failNext({ match: { method: 'POST', path }, mode: 'applyThen500' })],
  ['a 422 (or 500) of an installation without Redis', () => fixture.double.outage('redis')],
];
/** Ways in which a lookup cannot tell. */
const BLIND: FaultMode[] = ['status:500', 'status:503', 'cutBeforeApply', 'applyThenCut'];

type Write = (conversation: ConversationAccess, id: string, mayExist: boolean) => Promise<string>;
const POSTS: [string, Write][] = [
  ['what the end-user said', (conversation, id, mayExist) => fixture.post(conversation, 'once', { id }, mayExist)],
  [
    'what the bot said',
    (conversation, id, mayExist) => fixture.post(conversation, 'once', { id, author: 'BOT' }, mayExist),
  ],
  [
    'a suggestion',
    (conversation, id, mayExist) =>
      fixture.post(conversation, 'once', { id, author: 'BOT', visibility: 'INTERNAL' }, mayExist),
  ],
  [
    'a note',
    (conversation, id, mayExist) =>
      provider().postNote(
        { conversation, noteId: `handoff:${id}`, text: 'once', mayExist, lookupAfter: null },
        signal(),
      ),
  ],
  [
    'a transcript',
    (conversation, id, mayExist) =>
      provider().postTranscript!(
        {
          conversation,
          noteId: `transcript:${id}`,
          title: 'once',
          fileName: 'transcript.txt',
          content: 'early words',
          files: [],
          mayExist,
          lookupAfter: null,
        },
        signal(),
      ),
  ],
];
const contents = async (conversation: ConversationAccess) =>
  (await fixture.messages(conversation)).map(({ content }) => content);
const postsOf = async (act: () => Promise<unknown>) =>
  (await fixture.callsOf(act)).filter(call => call.startsWith('POST /conversations/messages'));

describe.each(POSTS)('%s', (_what, write) => {
  it.each(HIDDEN)('is found after %s, and not written again', async (_answer, hide) => {
    const [conversation, id] = [await fixture.conversation(), randomUUID()];
    await hide(/\/messages$/);
    await expect(write(conversation, id, false)).rejects.toMatchObject(UNKNOWN);
    await fixture.double.outage(null);
    expect(await postsOf(() => write(conversation, id, true))).toEqual([]);
    expect(await contents(conversation)).toEqual(['once']);
  });

  it.each(BLIND)('is not written again when the lookup itself ends with %s', async mode => {
    const [conversation, id] = [await fixture.conversation(), randomUUID()];
    fixture.double.failNext({ match: { method: 'POST', path: /\/messages$/ }, mode: 'applyThenCut' });
    await expect(write(conversation, id, false)).rejects.toMatchObject(UNKNOWN);
    fixture.double.failNext({ match: { method: 'GET', path: /\/messages/ }, mode });
    expect(await postsOf(() => expect(write(conversation, id, true)).rejects.toMatchObject(UNAVAILABLE))).toEqual([]);
    expect(await contents(conversation)).toEqual(['once']);
  });
});

describe('a contact', () => {
  const endUser = { externalId: null, name: 'Eve', email: null, phone: null, locale: null, attributes: {} };
  const ensure = (sessionId: string) => provider().ensureContact(fixture.inbox, sessionId, endUser, signal());
  const count = async () => (await fixture.farSide.census())['contacts'];

  it.each(HIDDEN)('is found after %s, and not created again', async (_answer, hide) => {
    const [sessionId, before] = [randomUUID(), await count()];
    await hide(/\/contacts$/);
    const first = await ensure(sessionId).catch((error: Error) => error);
    // After a 500 the provider looks for it at once, because a merge has the same response.
    if (typeof first !== 'string') expect(first).toMatchObject(UNKNOWN);
    await fixture.double.outage(null);
    await ensure(sessionId);
    expect(await count()).toBe(before! + 1);
  });

  it('is retried after a 422 without a validation error', async () => {
    const sessionId = randomUUID();
    fixture.double.failNext({
      match: { method: 'POST', path: /\/contacts$/ },
      mode: 'status:422',
      body: { error: 'Connection refused - connect(2) for 127.0.0.1:6390' },
    });
    await expect(ensure(sessionId)).rejects.toMatchObject(UNKNOWN);
    expect(await ensure(sessionId)).toMatch(/^\d+$/);
  });

  it.each(BLIND)('waits when the lookup itself ends with %s', async mode => {
    const [sessionId, before] = [randomUUID(), await count()];
    await ensure(sessionId);
    fixture.double.failNext({ match: { method: 'POST', path: /\/contacts\/filter$/ }, mode });
    await expect(ensure(sessionId)).rejects.toMatchObject(UNAVAILABLE);
    expect(await count()).toBe(before! + 1);
  });
});

describe('a conversation', () => {
  const open = (access: ConversationAccess, mayExist: boolean) =>
    provider().openConversation({ ...access, mayExist }, signal());
  const count = async () => (await fixture.farSide.census())['conversations'];
  async function contact(): Promise<ConversationAccess> {
    const sessionId = randomUUID();
    const endUser = { externalId: null, name: 'Eve', email: null, phone: null, locale: null, attributes: {} };
    return {
      inbox: fixture.inbox,
      sessionId,
      contactId: await provider().ensureContact(fixture.inbox, sessionId, endUser, signal()),
      conversationId: '',
    };
  }

  it.each(HIDDEN)('is found after %s, and not opened again', async (_answer, hide) => {
    const [access, before] = [await contact(), await count()];
    await hide(/\/conversations$/);
    await expect(open(access, false)).rejects.toMatchObject(UNKNOWN);
    await fixture.double.outage(null);
    await open(access, true);
    expect(await count()).toBe(before! + 1);
  });

  it.each(BLIND)('is not opened again when the lookup itself ends with %s', async mode => {
    const [access, before] = [await contact(), await count()];
    fixture.double.failNext({ match: { method: 'POST', path: /\/conversations$/ }, mode: 'applyThenCut' });
    await expect(open(access, false)).rejects.toMatchObject(UNKNOWN);
    fixture.double.failNext({ match: { method: 'GET', path: /\/contacts\/\d+\/conversations/ }, mode });
    await expect(open(access, true)).rejects.toMatchObject(UNAVAILABLE);
    expect(await count()).toBe(before! + 1);
  });
});

describe('a refused lookup', () => {
  const REFUSED = { mode: 'status:403', body: { error: 'no' } } as const;
  const CANNOT_TELL = { code: 'OUTCOME_UNKNOWN' };

  it('proves nothing about a post or a conversation: neither is written again', async () => {
    const [conversation, id] = [await fixture.conversation(), randomUUID()];
    fixture.double.failNext({ match: { method: 'GET', path: /\/messages/ }, ...REFUSED });
    expect(
      await postsOf(() => expect(fixture.post(conversation, 'once', { id }, true)).rejects.toMatchObject(CANNOT_TELL)),
    ).toEqual([]);
    fixture.double.failNext({ match: { method: 'GET', path: /\/contacts\/\d+\/conversations/ }, ...REFUSED });
    const calls = await fixture.callsOf(() =>
      expect(provider().openConversation({ ...conversation, mayExist: true }, signal())).rejects.toMatchObject(
        CANNOT_TELL,
      ),
    );
    expect(calls.filter(call => call.startsWith('POST'))).toEqual([]);
  });

  it('differs from a write refused after a lookup, whose outcome is known', async () => {
    const conversation = await fixture.conversation();
    fixture.double.failNext({ match: { method: 'POST', path: /\/messages$/ }, ...REFUSED });
    await expect(fixture.post(conversation, 'once', { id: randomUUID() }, true)).rejects.toMatchObject({
      code: 'PROVIDER_REFUSED',
      hasNoEarlierWrite: true,
    });
    fixture.double.failNext({ match: { method: 'POST', path: /\/messages$/ }, ...REFUSED });
    await expect(fixture.post(conversation, 'once', { id: randomUUID() }, false)).rejects.toMatchObject({
      code: 'PROVIDER_REFUSED',
      hasNoEarlierWrite: false,
    });
  });
});

describe.each(['applyThenCut', 'applyThen500'] as const)('after %s', mode => {
  it.each([/toggle_status/, /assignments/, /toggle_priority/])(
    'opening, holding and resolving can be repeated, whichever call it was: %s',
    async path => {
      const [conversation, team] = [
        await fixture.conversation(),
        await fixture.farSide.call('POST', `${fixture.account}/teams`, fixture.admin, {
          name: randomUUID(),
          allow_auto_assign: false,
        }),
      ];
      const ada = String(fixture.ownerId);
      const twice = async (act: () => Promise<unknown>) => {
        fixture.double.failNext({ match: { method: 'POST', path }, mode });
        await act().catch((error: unknown) => {
          expect(error).toMatchObject(UNKNOWN);
        });
        fixture.double.clearFaults();
        await act();
      };
      await twice(() => fixture.open(conversation, { teamId: String(team.id), agentId: ada, priority: 'HIGH' }));
      expect(await fixture.readConversation(conversation)).toMatchObject({
        status: 'open',
        priority: 'high',
        meta: { team: { id: team.id }, assignee: { id: fixture.ownerId } },
      });
      await twice(() => provider().returnToBot(conversation, signal()));
      const held = await fixture.readConversation(conversation);
      expect([held.status, held.priority, held.meta.team ?? null, held.meta.assignee ?? null]).toEqual([
        'pending',
        null,
        null,
        null,
      ]);
      await twice(() => provider().resolve(conversation, signal()));
      expect((await fixture.readConversation(conversation)).status).toBe('resolved');
    },
  );

  it('a mark on a message can be set again', async () => {
    const conversation = await fixture.conversation();
    await fixture.createActingAgent(fixture.ownerId, conversation).reply('hello');
    const [message] = await fixture.messages(conversation);
    const report = () =>
      provider().reportDelivery!({ conversation, messageId: String(message.id), state: 'READ', error: null }, signal());
    fixture.double.failNext({ match: { method: 'PATCH', path: /\/messages\/\d+$/ }, mode });
    await expect(report()).rejects.toMatchObject(UNKNOWN);
    await report();
    expect((await fixture.messages(conversation))[0].status).toBe('read');
  });

  it('an agent is added once, and a created team is not created again', async () => {
    const email = `${randomUUID()}@people.example`;
    const add = () =>
      provider().agentsAndTeams!.addAgent({ access: fixture.access, name: 'Alice', email, role: 'AGENT' }, signal());
    fixture.double.failNext({ match: { method: 'POST', path: /\/users$/ }, mode });
    await expect(add()).rejects.toMatchObject(UNKNOWN);
    fixture.double.failNext({ match: { method: 'POST', path: /\/account_users$/ }, mode });
    await expect(add()).rejects.toMatchObject(UNKNOWN);
    await add();
    expect((await provider().listAgents(fixture.access, signal())).filter(agent => agent.email === email)).toHaveLength(
      1,
    );

    const name = randomUUID();
    const make = () => provider().agentsAndTeams!.createTeam(fixture.access, { name, autoAssign: false }, signal());
    fixture.double.failNext({ match: { method: 'POST', path: /\/teams$/ }, mode });
    await expect(make()).rejects.toMatchObject(UNKNOWN);
    await expect(make()).rejects.toMatchObject({ code: 'PROVIDER_REFUSED' });
    expect((await provider().listTeams(fixture.access, signal())).filter(team => team.name === name)).toHaveLength(1);
  });
});

/** Notes whose echo is not stored: syncs may have passed an earlier attempt before the next one looks for it. */
describe('an attempt that later syncs have passed', () => {
  let world: ChatwootWorld;
  beforeEach(async () => {
    world = await createChatwootWorld();
  });
  afterEach(() => world.close());

  /** Makes syncs advance past the current messages, to where no lower id can appear. */
  async function readPast(sessionId: string): Promise<void> {
    for (let n = 0; n < 2; n++) {
      world.time.aheadMs += 60_000;
      await world.farSide.call(
        'POST',
        `${world.accountPath}/conversations/${(await world.stores.sessions.get('org-1', sessionId))!.conversationId}/messages`,
        world.admin,
        { content: `later ${n}`, private: true },
      );
      await world.read(sessionId);
    }
  }
  const notes = async (sessionId: string, text: string) =>
    (await world.messages(sessionId)).filter(({ content }) => String(content).includes(text));

  it('a note for agents is written once', async () => {
    const alice = await world.addPerson('Alice');
    const sessionId = await world.handedOver();
    await (await world.acting(alice, sessionId)).reply('');
    await world.read(sessionId);
    world.double.failNext({ match: { method: 'POST', path: /\/messages$/ }, mode: 'applyThenCut' });
    expect(await world.deliverAll()).toEqual(['PROVIDER_UNAVAILABLE']);
    await readPast(sessionId);
    expect(await world.deliverAll()).toEqual([]);
    expect(await notes(sessionId, 'not shown')).toHaveLength(1);
  });

  it('a transcript is written once', async () => {
    const { id: sessionId } = await world.open();
    await world.flows.updatePolicy({ organizationId: 'org-1' }, 'bot-1', { mirroring: 'ON_HANDOFF' });
    for (let n = 0; n < 60; n++) await world.user(sessionId, `turn ${n}`);
    await world.ask(sessionId);
    world.double.failNext({ match: { method: 'POST', path: /\/messages$/ }, mode: 'applyThenCut' });
    expect(await world.deliverAll()).toEqual(['PROVIDER_UNAVAILABLE']);
    await readPast(sessionId);
    expect(await world.deliverAll()).toEqual([]);
    expect(await notes(sessionId, 'attached file')).toHaveLength(1);
  });
});
