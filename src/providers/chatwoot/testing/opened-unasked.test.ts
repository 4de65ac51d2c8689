import { createChatwootWorld, type ChatwootWorld } from './chatwoot-world';
import { finishEndings } from '../../../core/flows/handoff/finish-endings';

/** Conversations that are open although no handoff was requested. */
describe('a conversation that is opened without a handoff', () => {
  let world: ChatwootWorld;
  let sessionId: string;
  let root: number;
  beforeEach(async () => {
    world = await createChatwootWorld();
    // Chatwoot assigns a conversation to an agent who opens it, but not to an administrator.
    root = await world.addPerson('Root', 'administrator');
    sessionId = await world.openMirroredSession('hello');
    await world.read(sessionId);
  });
  afterEach(() => world.close());
  const live = () => world.liveHandoff(sessionId);
  const settle = async () => {
    await world.runDueSyncs();
    await world.deliverAll();
    await world.read(sessionId);
  };
  const open = async () => {
    await world.act(sessionId, 'POST', '/toggle_status', { status: 'open' }, await tokenOf(root));
  };
  const tokenOf = async (id: number): Promise<string> =>
    (await world.farSide.platform('GET', `/users/${id}`)).access_token;
  const end = async () => {
    await world.acknowledgeAll(sessionId);
    await finishEndings(world.deps, 10, (_, error) => {
      throw error;
    });
    await world.acknowledgeAll(sessionId);
  };

  it('while the bot held it is queued: the bot is silent until an agent takes it', async () => {
    await open();
    await settle();
    expect(await live()).toMatchObject({ state: 'QUEUED', origin: 'AGENT_TAKEOVER', agent: null });
    expect(await world.session(sessionId)).toMatchObject({ control: 'NONE' });
    expect(await world.conversation(sessionId)).toMatchObject({ status: 'open' });
    const alice = await world.addPerson('Alice');
    await (await world.acting(alice, sessionId)).reply('I have it');
    await settle();
    expect(await live()).toMatchObject({ state: 'ACTIVE', agent: { name: 'Alice' } });
  });

  it('and returned to the bot again ends, also before a sync', async () => {
    await open();
    await world.runDueSyncs();
    await (await world.acting(root, sessionId)).returnToPending();
    await settle();
    expect(await live()).toBeNull();
    expect(await world.conversation(sessionId)).toMatchObject({ status: 'pending' });
    expect(await world.session(sessionId)).toMatchObject({ control: 'BOT' });
  });

  it('after it was resolved, by a user who never had it, is queued again', async () => {
    await world.ask(sessionId);
    await world.deliverAll();
    await (await world.acting(root, sessionId)).reply('done');
    await (await world.acting(root, sessionId)).resolve();
    await settle();
    await end();
    await settle();
    expect(await live()).toBeNull();
    await open();
    await settle();
    expect(await live()).toMatchObject({ state: 'QUEUED', origin: 'AGENT_TAKEOVER' });
  });

  it("by the end-user's own message, out of a snooze, is the bot's", async () => {
    await world.act(sessionId, 'POST', '/toggle_status', { status: 'snoozed' });
    await settle();
    await world.user(sessionId, 'are you there?');
    await world.deliverAll();
    expect(await world.conversation(sessionId)).toMatchObject({ status: 'open' });
    await settle();
    expect(await live()).toBeNull();
    expect(await world.conversation(sessionId)).toMatchObject({ status: 'pending' });
    expect(await world.session(sessionId)).toMatchObject({ control: 'BOT' });
  });

  it("by the end-user's reply, because somebody has removed our agent bot from the inbox, counts as nobody's takeover", async () => {
    const alice = await world.addPerson('Alice');
    await world.ask(sessionId);
    await world.deliverAll();
    await (await world.acting(alice, sessionId)).assignSelf();
    await (await world.acting(alice, sessionId)).resolve();
    await settle();
    await end();
    await settle();
    await world.farSide.call(
      'POST',
      `${world.accountPath}/inboxes/${world.inbox.externalId}/set_agent_bot`,
      world.admin,
      { agent_bot: null },
    );
    await world.user(sessionId, 'thanks');
    await world.deliverAll();
    expect(await world.conversation(sessionId)).toMatchObject({ status: 'open' });
    await settle();
    expect(await live()).toBeNull();
    expect(await world.session(sessionId)).toMatchObject({ control: 'BOT' });
    expect(await world.conversation(sessionId)).toMatchObject({ status: 'pending' });
  });
});

describe('an agent with a conversation', () => {
  let world: ChatwootWorld;
  let sessionId: string;
  beforeEach(async () => {
    world = await createChatwootWorld();
    sessionId = await world.handedOver();
  });
  afterEach(() => world.close());
  const states = async () => (await world.collected(sessionId)).filter(line => /^[A-Z]+$/.test(line));

  it('keeps it while a colleague helps out: the runtime hears of no change', async () => {
    const [alice, bob] = [await world.addPerson('Alice'), await world.addPerson('Bob')];
    await (await world.acting(alice, sessionId)).assignSelf();
    await (await world.acting(alice, sessionId)).reply('I am Alice');
    await world.runDueSyncs();
    await world.read(sessionId);
    const before = await states();
    await (await world.acting(bob, sessionId)).reply('and Bob');
    await world.runDueSyncs();
    await world.read(sessionId);
    expect(await world.liveHandoff(sessionId)).toMatchObject({ state: 'ACTIVE', agent: { name: 'Alice' } });
    expect(await states()).toEqual(before);
    expect((await world.collected(sessionId)).slice(-1)).toEqual(['AGENT: and Bob']);
  });

  it('without being assigned loses it when it is passed to another team', async () => {
    const alice = await world.addPerson('Alice');
    const billing = await world.addTeam('billing');
    await (await world.acting(alice, sessionId)).reply('I am Alice');
    await world.runDueSyncs();
    await world.read(sessionId);
    expect(await world.liveHandoff(sessionId)).toMatchObject({ state: 'ACTIVE' });
    await (await world.acting(alice, sessionId)).assign({ teamId: billing.id });
    await world.runDueSyncs();
    await world.read(sessionId);
    expect(await world.liveHandoff(sessionId)).toMatchObject({ state: 'QUEUED', agent: null });
  });
});
