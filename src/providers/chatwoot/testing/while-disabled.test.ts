import { createChatwootWorld, ORG, type ChatwootWorld } from './chatwoot-world';

const scope = { organizationId: ORG };
const MONTH_MS = 30 * 86_400_000;

describe('what agents did while support was disabled', () => {
  let world: ChatwootWorld;
  let sessionId: string;
  let alice: number;
  beforeEach(async () => {
    world = await createChatwootWorld();
    alice = await world.addPerson('Alice');
    sessionId = await world.openMirroredSession('hello');
    await world.read(sessionId);
  });
  afterEach(() => world.close());
  const off = () => world.flows.disableChatbot(scope, 'bot-1');
  const monthLater = async () => {
    await world.double.whenIdle();
    world.time.aheadMs += MONTH_MS;
    await world.enableAgain();
  };
  const notes = async () =>
    (await world.messages(sessionId)).filter(row => row.private).map(row => String(row.content));

  it('does not reach the end-user later, is no reply to a later handoff, and the agent is notified', async () => {
    await off();
    await (await world.acting(alice, sessionId)).reply('are you there?');
    await monthLater();
    const { handoff } = await world.ask(sessionId);
    await world.deliverAll();
    await world.read(sessionId);
    await world.deliverAll();
    expect(await world.handoff(handoff.id)).toMatchObject({ state: 'QUEUED', agent: null });
    expect((await world.collected(sessionId)).filter(line => line.startsWith('AGENT'))).toEqual([]);
    expect((await notes()).filter(text => text.includes('switched off'))).toHaveLength(1);

    await (await world.acting(alice, sessionId)).reply('here I am');
    await world.runDueSyncs();
    await world.read(sessionId);
    expect((await world.collected(sessionId)).filter(line => line.startsWith('AGENT'))).toEqual(['AGENT: here I am']);
    expect(await world.handoff(handoff.id)).toMatchObject({ state: 'ACTIVE', agent: { name: 'Alice' } });
  });

  it('takes nothing over from the bot, and a later handoff begins without it', async () => {
    await off();
    await (await world.acting(alice, sessionId)).assignSelf();
    await (await world.acting(alice, sessionId)).note('mine');
    await monthLater();
    await world.read(sessionId);
    expect(await world.session(sessionId)).toMatchObject({ control: 'BOT', liveHandoffId: null });
    const { handoff } = await world.ask(sessionId);
    await world.deliverAll();
    expect((await world.conversation(sessionId)).meta.assignee).toBeFalsy();
    await world.read(sessionId);
    expect(await world.handoff(handoff.id)).toMatchObject({ state: 'QUEUED', agent: null });
  });

  it('in the moment in which it was enabled again is received', async () => {
    await off();
    await world.enableAgain();
    await (await world.acting(alice, sessionId)).reply('good morning');
    await world.runDueSyncs();
    expect((await world.collected(sessionId)).filter(line => line.startsWith('AGENT'))).toEqual([
      'AGENT: good morning',
    ]);
  });
});
