import { createChatwootWorld, ORG, type ChatwootWorld } from './chatwoot-world';
import type { ChatwootVersion } from './double';

const scope = { organizationId: ORG };
let world: ChatwootWorld;
afterEach(() => world.close());

const typingWebhooks = () =>
  world.double
    .deliveries()
    .filter(({ event }) => event.startsWith('conversation_typing'))
    .map(({ event, body }) => {
      const { user, is_private } = JSON.parse(body);
      return `${event.split('_').at(-1)} ${user.type ?? 'contact'} ${user.name}${is_private ? ' among agents' : ''}`;
    });
const set = (sessionId: string, isTyping: boolean) => world.flows.setTyping(scope, { sessionId, isTyping });
const until = async (holds: () => boolean): Promise<void> => {
  for (let tries = 0; !holds() && tries < 500; tries++)
    await new Promise(resolve => {
      setTimeout(resolve, 10);
    });
};

describe.each<ChatwootVersion>(['4.10', '4.14'])('typing on Chatwoot %s', version => {
  beforeEach(async () => {
    world = await createChatwootWorld({ version });
  });

  it('agents see the end-user, not BotAgent1, by one call, and nothing is synced or posted for it', async () => {
    const sessionId = await world.handedOver();
    await world.runDueSyncs();
    world.double.clearRequests();
    expect(await set(sessionId, true)).toEqual({ isForwarded: true });
    await until(() => world.double.requests().length > 0);
    await world.double.whenIdle();
    const { conversationId } = await world.session(sessionId);
    const { inboxIdentifier } = (await world.access(sessionId)).inbox.providerData;
    const path = `/public/api/v1/inboxes/${String(inboxIdentifier)}/contacts/${sessionId}/conversations/${conversationId}/toggle_typing`;
    expect(world.double.requests()).toMatchObject([{ method: 'POST', path, status: 200 }]);
    expect(typingWebhooks()).toEqual(['on contact Eve']);

    await set(sessionId, false);
    await until(() => world.double.requests().length > 1);
    await world.double.whenIdle();
    expect(typingWebhooks()).toEqual(['on contact Eve', 'off contact Eve']);
    // Chatwoot also sends a webhook about our own end-user.
    expect(world.typed).toEqual([]);
    expect(await world.runDueSyncs()).toBe(0);
    expect((await world.messages(sessionId)).map(({ content }) => content)).toEqual(['hello']);
  });

  it('nobody is notified while the bot has the session, or without a session', async () => {
    const sessionId = await world.openMirroredSession();
    world.double.clearRequests();
    expect(await set(sessionId, true)).toEqual({ isForwarded: false });
    await expect(set('00000000-0000-4000-8000-000000000000', true)).rejects.toMatchObject({
      code: 'SESSION_NOT_FOUND',
    });
    await expect(
      world.flows.setTyping({ organizationId: 'org-2' }, { sessionId, isTyping: true }),
    ).rejects.toMatchObject({ code: 'SESSION_NOT_FOUND' });
    expect(world.double.requests()).toEqual([]);
    await world.ask(sessionId);
    // The one sync before a handoff ends.
    expect(await world.callsOf(() => world.flows.disableChatbot(scope, 'bot-1'))).toEqual([
      'GET /conversations',
      'GET /conversations/messages',
    ]);
    world.double.clearRequests();
    expect(await set(sessionId, true)).toEqual({ isForwarded: false });
    expect(world.double.requests()).toEqual([]);
  });

  it('an outage of Chatwoot costs the caller nothing, and a deleted conversation does not count as lost', async () => {
    const sessionId = await world.handedOver();
    world.double.failNext({ mode: 'hang', match: { path: /toggle_typing/ } });
    expect(await set(sessionId, true)).toEqual({ isForwarded: true });
    await until(() => world.double.requests().some(({ path }) => path.endsWith('toggle_typing')));
    const before = await world.session(sessionId);
    world.double.clearFaults();
    await world.pool.query("update session set conversation_id = '4711' where id = $1", [sessionId]);
    const gone = { conversation: await world.access(sessionId), isTyping: true };
    await expect(world.provider.sendTyping!(gone, AbortSignal.timeout(5_000))).rejects.toMatchObject({
      code: 'UNSUPPORTED_BY_PROVIDER',
    });
    expect((await world.session(sessionId)).epoch).toBe(before.epoch);
  });

  it('an agent who writes to the end-user is known, by our id; a note, the bot and the end-user are not', async () => {
    const alice = await world.addPerson('Alice');
    await world.flows.refreshDirectory(scope, world.account.id);
    const held = await world.openMirroredSession();
    await (await world.acting(alice, held)).type(true);
    const sessionId = await world.handedOver();
    await world.runDueSyncs();
    const acting = await world.acting(alice, sessionId);
    await acting.type(true);
    await acting.type(false);
    await world.act(sessionId, 'POST', '/toggle_typing_status', { typing_status: 'on', is_private: true }, world.admin);
    await world.act(
      sessionId,
      'POST',
      '/toggle_typing_status',
      { typing_status: 'on', is_private: false },
      world.admin,
    );
    await world.double.whenIdle();
    const agent = (await world.stores.setup.findAgent(world.account.id, String(alice)))!;
    // Webhooks of the same moment arrive in any order.
    expect(world.typed).toHaveLength(2);
    expect(world.typed).toEqual(
      expect.arrayContaining(
        [true, false].map(isTyping => ({
          organizationId: 'org-1',
          chatbotId: expect.any(String),
          sessionId,
          agentId: agent.id,
          externalId: String(alice),
          isTyping,
          at: expect.any(String),
        })),
      ),
    );
    expect(await world.runDueSyncs()).toBe(0);
  });
});

it('a Chatwoot before 4.2 shows agents the end-user, and does not report agents', async () => {
  world = await createChatwootWorld({ version: '3.16' });
  const alice = await world.addPerson('Alice');
  const sessionId = await world.handedOver();
  expect(await set(sessionId, true)).toEqual({ isForwarded: true });
  await (await world.acting(alice, sessionId)).type(true);
  await world.double.whenIdle();
  expect(world.typed).toEqual([]);
});
