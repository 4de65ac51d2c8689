import type { HandoffRecord } from '../../../src/core/handoff';
import { instantOf } from '../../../src/core/ports/clock';
import { codeOf, createFlowWorld, ORG, scope, type FlowWorld } from '../../../src/testing/flow-world';

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

/**
 * A handoff that agents can see; with an agent's first reply that the runtime has collected, unless nobody has taken
 * it.
 */
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

/** Each way in which a party other than the agents ends a handoff. */
const WAYS: readonly (readonly [reason: string, end: (sessionId: string) => Promise<unknown>])[] = [
  ['BOT_CANCELLED', end('BOT_CANCELLED')],
  ['USER_ENDED', end('USER_ENDED')],
  ['OPERATOR_ENDED', end('OPERATOR_ENDED')],
  ['SESSION_CLOSED', sessionId => world.flows.closeSession(scope, { sessionId, idempotencyKey: world.nextKey() })],
];

describe.each(WAYS)("an agent's reply that is under way while the handoff ends as %s", (reason, ends) => {
  it.each([
    ['taken', true],
    ['queued', false],
  ])('comes before the outcome and starts nothing (%s)', async (_, isTaken) => {
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

  it('belongs to the ended handoff when it is read only after the time limit of the sync', async () => {
    const { id, handoff } = await withAgents(true);
    world.provider.agentSays('one moment', 'alice', now());
    await ends(id);
    world.time.ms += SYNC_MS - 1;
    expect(await world.finishEndings()).toBe(0);
    world.time.ms += 1;
    expect(await world.finishEndings()).toBe(1);
    expect(await statesOf(id)).toEqual(['REQUESTED ENDED']);
    // The conversation is still as the agent left it, and looks like theirs.
    await world.read(id);
    await world.deliverAll();
    await world.read(id);
    expect(await statesOf(id)).toEqual(['REQUESTED ENDED']);
    const { edges } = await world.stores.messages.page(ORG, id, { first: 10, after: null });
    expect(edges.at(-1)!.node).toMatchObject({ author: 'AGENT', text: 'one moment', handoffId: handoff.id });
    expect((await world.collected(id)).slice(-2)).toEqual([`OUTCOME ENDED ${reason}`, 'AGENT: one moment']);
    expect((await world.session(id)).control).toBe('BOT');
  });

  it('belongs to the ended handoff when it becomes visible only after the return', async () => {
    const { id, handoff } = await withAgents(true);
    world.provider.agentSays('one moment', 'alice', now());
    // Its id is assigned, and it is not visible yet.
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

  it('keeps the bot silent until it was collected', async () => {
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

describe.each(WAYS.slice(0, 3))("an agent's message after the end (%s)", (reason, ends) => {
  it.each([
    ['that says which message was the newest', true],
    ['that is read for that', false],
  ])('takes the conversation over, at a provider %s', async (_, reportsNewest) => {
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

it('a reply that is under way while a new handoff is requested belongs to the ended one, precedes its outcome, and does not join an agent to the new one', async () => {
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

describe('disabling support', () => {
  it('delivers what agents said until then before the outcome; enabling it again starts nothing', async () => {
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

  it('completes without a provider that cannot be read', async () => {
    const { handoff } = await withAgents(true);
    world.provider.failNext('readConversation', 'before');
    expect(await world.flows.disableSupport(scope, null)).toMatchObject({ endedHandoffs: 1 });
    expect(await world.handoff(handoff.id)).toMatchObject({ state: 'ENDED' });
  });

  it('starts nothing by a sync that was running', async () => {
    const { id } = await withAgents(true);
    await end('BOT_CANCELLED')(id);
    await world.read(id);
    await world.deliverAll();
    world.provider.agentSays('too late', 'alice', now());
    world.provider.set({ agent: 'bob' });
    world.provider.hooks.set('readConversation', async () => {
      await world.flows.disableChatbot(scope, 'bot-1');
    });
    // The sync that disabling requests finds it first.
    await world.stores.setup.updateInbox((await world.stores.setup.findInboxByChatbot(ORG, 'bot-1'))!.id, {
      state: 'READY',
    });
    await world.read(id);
    expect(await statesOf(id)).toEqual(['REQUESTED ENDED']);
  });
});

describe('the sync of an ending', () => {
  it('is requested at once, and found by a replica that starts', async () => {
    const { id } = await withAgents(true);
    await world.pool.query("update lane set next_run_at = null where destination = 'SYNC'");
    await end('USER_ENDED')(id);
    expect(await world.stores.lanes.claimSyncs('HINT', 10, 60_000)).toMatchObject([{ sessionId: id }]);
  });

  it('is not replaced by a sync that had started earlier', async () => {
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

  it('does not wait for a deleted conversation', async () => {
    const { id, handoff } = await withAgents(true);
    await end('USER_ENDED')(id);
    world.provider.delete();
    await world.read(id);
    expect((await world.handoff(handoff.id)).state).toBe('ENDED');
  });

  it('does not wait for agents who could not see the conversation yet', async () => {
    const { id } = await world.open();
    await world.user(id, 'help');
    await world.deliverAll();
    const { handoff } = await world.ask(id);
    await end('BOT_CANCELLED')(id);
    expect((await world.handoff(handoff.id)).state).toBe('ENDED');
  });

  it('ends at once for agents whose conversation is never returned, when they write long after', async () => {
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
