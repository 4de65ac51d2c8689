import type { HandoffRecord } from '../../../src/core/handoff';
import { instantOf } from '../../../src/core/ports/clock';
import { codeOf, createFlowWorld, ORG, scope, type FlowWorld } from '../../support/flow-world';

let world: FlowWorld;
beforeEach(async () => {
  world = await createFlowWorld({ lines: { queued: null, ended: null } });
});
afterEach(() => world.close());

const SYNC_MS = 5_000;
const enableChatbot = () =>
  world.flows.enableChatbot(scope, { chatbotId: 'bot-1', name: 'Bot one', accountId: null, policy: {} });
const handoffsOf = async (sessionId: string): Promise<readonly HandoffRecord[]> =>
  (
    await world.stores.handoffs.page(
      ORG,
      { chatbotIds: null, states: null, live: null, teamIds: null, sessionId },
      { first: 20, after: null },
    )
  ).edges.map(({ node }) => node);
const statesOf = async (sessionId: string) =>
  (await handoffsOf(sessionId)).map(({ origin, state }) => `${origin} ${state}`);
const now = () => instantOf(world.time.ms);

/** A handoff that agents can see; with an agent's first reply that the runtime has collected, unless nobody has taken it. */
async function withAgents(isTaken: boolean) {
  const { id } = await world.open();
  await world.user(id, 'help');
  const { handoff } = await world.ask(id);
  await world.deliverAll();
  if (isTaken) {
    world.provider.set({ agent: 'alice' });
    world.provider.agentSays('hello', 'alice', now());
  }
  await world.read(id);
  await world.acknowledgeAll(id);
  return { id, handoff };
}

const end = (reason: 'BOT_CANCELLED' | 'USER_ENDED' | 'OPERATOR_ENDED') => (sessionId: string) =>
  world.flows.endHandoff(scope, { sessionId, handoffId: null, reason, idempotencyKey: world.nextKey() });

/** Each way in which somebody else than the agents ends a handoff. */
const WAYS: readonly (readonly [reason: string, end: (sessionId: string) => Promise<unknown>])[] = [
  ['BOT_CANCELLED', end('BOT_CANCELLED')],
  ['USER_ENDED', end('USER_ENDED')],
  ['OPERATOR_ENDED', end('OPERATOR_ENDED')],
  ['SESSION_CLOSED', sessionId => world.flows.closeSession(scope, { sessionId, idempotencyKey: world.nextKey() })],
];

describe.each(WAYS)("an agent's reply on its way while the handoff ends as %s", (reason, ends) => {
  it.each([
    ['taken', true],
    ['queued', false],
  ])('comes before the outcome and begins nothing (%s)', async (_, isTaken) => {
    const { id, handoff } = await withAgents(isTaken);
    world.provider.agentSays('one moment', 'alice', now());
    await ends(id);
    expect(await world.handoff(handoff.id)).toMatchObject({ state: 'ENDING', endReason: reason });
    await world.read(id);
    await world.deliverAll();
    await world.read(id);
    await world.acknowledgeAll(id).then(() => world.finishEndings());
    expect(await statesOf(id)).toEqual(['REQUESTED ENDED']);
    expect((await world.handoff(handoff.id)).agent?.externalId).toBe('alice');
    const notices = (
      await world.pool.query(
        "select kind, m.text, m.handoff_id from delivery d left join message m on m.id::text = d.payload ->> 'messageId' where d.session_id = $1 and d.destination = 'RUNTIME' order by d.id",
        [id],
      )
    ).rows;
    expect(notices.slice(-2)).toEqual([
      { kind: 'MESSAGE', text: 'one moment', handoff_id: handoff.id },
      { kind: 'HANDOFF_OUTCOME', text: null, handoff_id: null },
    ]);
    expect(notices.filter(({ kind }) => kind === 'HANDOFF_OUTCOME')).toHaveLength(1);
    expect(await world.session(id)).toMatchObject({ control: 'BOT', liveHandoffId: null });
    expect(world.provider.onlyConversation.view.status).toBe(
      reason === 'USER_ENDED' || reason === 'SESSION_CLOSED' ? 'RESOLVED' : 'BOT_HELD',
    );
  });

  it('that is read only after the time limit of the sync is a word of the ended handoff', async () => {
    const { id, handoff } = await withAgents(true);
    world.provider.agentSays('one moment', 'alice', now());
    await ends(id);
    world.time.ms += SYNC_MS - 1;
    expect(await world.finishEndings()).toBe(0);
    world.time.ms += 1;
    expect(await world.finishEndings()).toBe(1);
    expect(await statesOf(id)).toEqual(['REQUESTED ENDED']);
    // The conversation is still as the agent left it, and theirs by its looks.
    await world.read(id);
    await world.deliverAll();
    await world.read(id);
    expect(await statesOf(id)).toEqual(['REQUESTED ENDED']);
    const { edges } = await world.stores.messages.page(ORG, id, { first: 10, after: null });
    expect(edges.at(-1)!.node).toMatchObject({ author: 'AGENT', text: 'one moment', handoffId: handoff.id });
    expect((await world.collected(id)).slice(-2)).toEqual([`OUTCOME ENDED ${reason}`, 'AGENT: one moment']);
    expect((await world.session(id)).control).toBe('BOT');
  });

  it('that becomes visible only after the conversation was returned is one, too', async () => {
    const { id, handoff } = await withAgents(true);
    world.provider.agentSays('one moment', 'alice', now());
    // Its id is taken, and nobody sees it yet.
    const hidden = world.provider.onlyConversation.entries.pop()!;
    world.provider.agentNotes('for colleagues');
    await ends(id);
    await world.read(id);
    await world.deliverAll();
    await world.read(id);
    expect(await statesOf(id)).toEqual(['REQUESTED ENDED']);
    world.provider.onlyConversation.entries.splice(-1, 0, hidden);
    await world.read(id);
    expect(await statesOf(id)).toEqual(['REQUESTED ENDED']);
    const { edges } = await world.stores.messages.page(ORG, id, { first: 10, after: null });
    expect(edges.at(-1)!.node).toMatchObject({ text: 'one moment', handoffId: handoff.id });
  });

  it('that was collected keeps the bot silent until then', async () => {
    const { id } = await withAgents(false);
    world.provider.agentSays('one moment', 'alice', now());
    await ends(id);
    await world.read(id);
    if (reason === 'SESSION_CLOSED') return void expect((await world.session(id)).control).toBe('BOT');
    expect((await world.session(id)).control).toBe('HUMAN');
    expect(await codeOf(world.bot(id, 'here I am'))).toBe('CONTROL_LOST');
    await world.acknowledgeAll(id);
    expect((await world.session(id)).control).toBe('BOT');
  });
});

describe.each(WAYS.slice(0, 3))("an agent's words after the end (%s)", (reason, ends) => {
  it.each([
    ['that says which message was the newest', true],
    ['that is read for that', false],
  ])('take the conversation over, at a provider %s', async (_, reportsNewest) => {
    world.provider.reportsNewest = reportsNewest;
    const { id } = await withAgents(true);
    world.provider.agentSays('one moment', 'alice', now());
    await ends(id);
    await world.read(id);
    await world.deliverAll();
    world.time.ms += 1;
    world.provider.agentSays('are you there?', 'alice', now());
    await world.read(id);
    await world.acknowledgeAll(id);
    expect(await statesOf(id)).toEqual(['AGENT_TAKEOVER ACTIVE', 'REQUESTED ENDED']);
    expect((await world.session(id)).control).toBe('HUMAN');
    await world.deliverAll();
    if (reason !== 'USER_ENDED')
      expect(world.provider.onlyConversation.view).toMatchObject({ status: 'OPEN', agent: 'alice' });
  });
});

it('a reply on its way while a new handoff is asked for belongs to the one that ended, comes before its outcome, and brings nobody to the new one', async () => {
  const { id, handoff } = await withAgents(true);
  world.provider.agentSays('one moment', 'alice', now());
  await end('BOT_CANCELLED')(id);
  world.time.ms += 1;
  const { handoff: second } = await world.ask(id);
  expect(second.id).not.toBe(handoff.id);
  await world.read(id);
  expect(await statesOf(id)).toEqual(['REQUESTED REQUESTED', 'REQUESTED ENDED']);
  await world.deliverAll();
  await world.read(id);
  expect(await statesOf(id)).toEqual(['REQUESTED QUEUED', 'REQUESTED ENDED']);
  expect(await world.collected(id)).toEqual(['AGENT: one moment', 'OUTCOME ENDED BOT_CANCELLED', 'QUEUED']);
  world.provider.agentSays('now I am here', 'alice', now());
  await world.read(id);
  expect(await statesOf(id)).toEqual(['REQUESTED ACTIVE', 'REQUESTED ENDED']);
});

describe('switching support off', () => {
  it('delivers what agents said up to then before the outcome, and nothing begins when it is switched on again', async () => {
    const { id, handoff } = await withAgents(true);
    world.provider.agentSays('one moment', 'alice', now());
    await world.flows.disableChatbot(scope, 'bot-1');
    expect(await world.handoff(handoff.id)).toMatchObject({ state: 'ENDING', endReason: 'OPERATOR_ENDED' });
    await world.acknowledgeAll(id);
    expect(await world.collected(id)).toEqual(['OUTCOME ENDED OPERATOR_ENDED']);
    world.time.ms += 3_600_000;
    await enableChatbot();
    await world.read(id);
    expect(await statesOf(id)).toEqual(['REQUESTED ENDED']);
  });

  it('goes on without a provider that cannot be read', async () => {
    const { handoff } = await withAgents(true);
    world.provider.failNext('readConversation', 'before');
    expect(await world.flows.disableSupport(scope, null)).toMatchObject({ endedHandoffs: 1 });
    expect(await world.handoff(handoff.id)).toMatchObject({ state: 'ENDED' });
  });

  it('begins nothing by a sync that was under way', async () => {
    const { id } = await withAgents(true);
    await end('BOT_CANCELLED')(id);
    await world.read(id);
    await world.deliverAll();
    world.provider.agentSays('too late', 'alice', now());
    world.provider.set({ agent: 'bob' });
    world.provider.hooks.set('readConversation', async () => {
      await world.flows.disableChatbot(scope, 'bot-1');
    });
    // The one that switching off asks for finds it first.
    await world.stores.setup.updateInbox((await world.stores.setup.findInboxByChatbot(ORG, 'bot-1'))!.id, {
      state: 'READY',
    });
    await world.read(id);
    expect(await statesOf(id)).toEqual(['REQUESTED ENDED']);
  });
});

describe('what becomes of an ending', () => {
  it('asks for a sync at once, which a replica that starts finds as well', async () => {
    const { id } = await withAgents(true);
    await world.pool.query("update lane set next_run_at = null where destination = 'SYNC'");
    await end('USER_ENDED')(id);
    expect(await world.stores.lanes.claimSyncs('HINT', 10, 60_000)).toMatchObject([{ sessionId: id }]);
  });

  it('does not take a sync that had begun before for one of the end', async () => {
    const { id, handoff } = await withAgents(true);
    world.provider.hooks.set('listMessages', async () => {
      world.provider.agentSays('one moment', 'alice', now());
      await end('USER_ENDED')(id);
    });
    await world.read(id);
    expect((await world.handoff(handoff.id)).state).toBe('ENDING');
    await world.read(id);
    await world.acknowledgeAll(id);
    expect(await statesOf(id)).toEqual(['REQUESTED ENDED']);
  });

  it('does not wait for a conversation that was deleted', async () => {
    const { id, handoff } = await withAgents(true);
    await end('USER_ENDED')(id);
    world.provider.delete();
    await world.read(id);
    expect((await world.handoff(handoff.id)).state).toBe('ENDED');
  });

  it('does not wait for agents who could not see it yet', async () => {
    const { id } = await world.open();
    await world.user(id, 'help');
    await world.deliverAll();
    const { handoff } = await world.ask(id);
    await end('BOT_CANCELLED')(id);
    expect((await world.handoff(handoff.id)).state).toBe('ENDED');
  });

  it('ends at once for agents whose conversation is never given back, when they go on talking long after', async () => {
    const { id } = await withAgents(true);
    await end('BOT_CANCELLED')(id);
    world.time.ms += 61_000;
    await world.finishEndings();
    world.provider.agentSays('said before, and read late', 'alice', instantOf(world.time.ms - 60_000));
    await world.read(id);
    expect(await statesOf(id)).toEqual(['REQUESTED ENDED']);
    world.provider.agentSays('still here', 'alice', now());
    await world.read(id);
    expect(await statesOf(id)).toEqual(['AGENT_TAKEOVER ACTIVE', 'REQUESTED ENDED']);
  });
});
