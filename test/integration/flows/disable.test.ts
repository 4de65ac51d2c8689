import { Worker } from '../../../src/delivery';
import { codeOf, createFlowWorld, ORG, scope, type FlowWorld } from '../../../src/testing/flow-world';
import { said } from '../persistence/store-world';
import { until } from '../../support/until';

let world: FlowWorld;
beforeEach(async () => {
  world = await createFlowWorld();
});
afterEach(() => world.close());

const EVERYTHING = {
  accountId: null,
  chatbotId: null,
  sessionId: null,
  destination: null,
  kind: null,
  code: null,
  parkedBefore: null,
  parkedAfter: null,
};
const disableChatbot = () => world.flows.disableChatbot(scope, 'bot-1');
const enableSupport = () =>
  world.flows.enableSupport(scope, {
    provider: 'scripted',
    name: 'One',
    baseUrl: null,
    settings: {},
    credentials: {},
    owners: [],
  });
const enableChatbot = () =>
  world.flows.enableChatbot(scope, { chatbotId: 'bot-1', name: 'Bot one', accountId: null, policy: {} });

/** Runs pending deliveries and requested syncs until there are none. */
async function workOff(): Promise<void> {
  const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const worker = new Worker(
    world.deps,
    { leaseMs: 60_000, concurrency: 4, concurrencyPerRemote: 4, pollMs: 5 },
    silent,
  );
  await worker.start();
  const waiting = async () =>
    (
      await world.pool.query(
        "select 1 from lane where next_run_at <= now() union all select 1 from lane where is_claimed union all select 1 from handoff where state = 'ENDING'",
      )
    ).rows.length;
  await until(async () => (await waiting()) === 0);
  await worker.stop();
}

/** A handoff that an agent has. */
async function withAgent() {
  const { id } = await world.open();
  await world.user(id, 'help');
  const { handoff } = await world.ask(id);
  await world.deliverAll();
  world.provider.set({ agent: 'alice' });
  await world.read(id);
  return { id, handoff };
}

describe('a chatbot whose support is disabled', () => {
  it('ends its live handoffs with a reason, and returns control to the bot', async () => {
    const { id, handoff } = await withAgent();
    expect(await disableChatbot()).toMatchObject({
      endedHandoffs: 1,
      inbox: { state: 'DISABLED', externalId: 'inbox-1' },
    });
    expect(await world.handoff(handoff.id)).toMatchObject({ state: 'ENDED', endReason: 'OPERATOR_ENDED' });
    expect((await world.session(id)).control).toBe('BOT');
    expect(await disableChatbot()).toMatchObject({ endedHandoffs: 0 });
  });

  it('leaves the objects at the provider unchanged', async () => {
    const { id } = await withAgent();
    const before = JSON.stringify(world.provider.conversations);
    await disableChatbot();
    const calls = world.provider.calls.length;
    await workOff();
    expect(JSON.stringify(world.provider.conversations)).toBe(before);
    expect(world.provider.calls.length).toBe(calls);
    expect((await world.session(id)).conversationId).not.toBeNull();
  });

  it('mirrors nothing more, while the bot continues', async () => {
    const { id } = await withAgent();
    await disableChatbot();
    const shown = world.provider.shown();
    expect(await world.user(id, 'still there?')).toMatchObject({ mayReply: true });
    expect(await world.bot(id, 'yes')).toMatchObject({ delivered: true });
    expect(await world.flows.explain(scope, id)).toMatchObject({ pendingDeliveries: { provider: 0 } });
    await workOff();
    expect(world.provider.shown()).toEqual(shown);
    expect(await world.flows.explain(scope, id)).toMatchObject({
      reason: 'BOT_HAS_CONTROL',
      pendingDeliveries: { provider: 0, parked: 0 },
    });
  });

  it('does not send pending deliveries, and receives nothing from agents', async () => {
    const { id } = await withAgent();
    await world.user(id, 'one more thing');
    await disableChatbot();
    world.provider.agentSays('too late');
    await world.stores.sessions.transact(ORG, id, async tx => tx.requestSync(new Date(world.time.ms).toISOString()));
    await workOff();
    expect(world.provider.shown().join()).not.toContain('one more thing');
    expect((await world.collected(id)).join()).not.toContain('too late');
    expect(await world.flows.explain(scope, id)).toMatchObject({ pendingDeliveries: { provider: 0, parked: 0 } });
  });

  it('discards deliveries that will not be sent, lists them with a reason, and records that in the history', async () => {
    const { id } = await withAgent();
    await world.stores.sessions.transact(ORG, id, async tx => {
      const message = await tx.insertMessage(said({ text: 'one more thing' }));
      await tx.enqueueForProvider({ kind: 'POST_MESSAGE', messageId: message.id });
      await tx.enqueueForProvider({
        kind: 'FORWARD_REACTION',
        postId: message.id,
        messageId: message.id,
        by: 'END_USER',
        emoji: '👍',
      });
    });
    await disableChatbot();
    await workOff();
    const { edges } = await world.stores.deadLetters.page(ORG, 'DISCARDED', EVERYTHING, { first: 10, after: null });
    expect(edges.map(({ node }) => node)).toMatchObject([
      {
        kind: 'FORWARD_REACTION',
        code: 'SUPPORT_DISABLED',
        parkedAt: expect.any(String),
        discarded: { at: expect.any(String), reason: expect.any(String) },
      },
    ]);
    expect(
      (await world.events(id)).map(({ body }) => body).filter(({ type }) => type === 'DELIVERY_DISCARDED'),
    ).toEqual([
      {
        type: 'DELIVERY_DISCARDED',
        deliveryId: edges[0]!.node.id,
        kind: 'FORWARD_REACTION',
        reason: edges[0]!.node.discarded!.reason,
        by: null,
      },
    ]);
    await enableChatbot();
    await world.ask(id);
    await world.deliverAll();
    expect(world.provider.shown()).toContain('END_USER: one more thing');
  });

  it('ends a handoff that was requested at the same moment, when its request is processed', async () => {
    const { id } = await world.open();
    const { handoff } = await world.ask(id);
    // As if the request had been committed after the search for live handoffs.
    const inbox = (await world.stores.setup.findInboxByChatbot(ORG, 'bot-1'))!;
    await world.stores.setup.updateInbox(inbox.id, { state: 'DISABLED' });
    await workOff();
    expect(await world.handoff(handoff.id)).toMatchObject({ state: 'ENDED', endReason: 'OPERATOR_ENDED' });
    expect((await world.session(id)).control).toBe('BOT');
    expect(world.provider.conversations).toEqual([]);
  });

  it('refuses new sessions and handoffs', async () => {
    const { id } = await world.open();
    await disableChatbot();
    expect(await codeOf(world.open())).toBe('ACCOUNT_DISABLED');
    expect(await codeOf(world.ask(id))).toBe('ACCOUNT_DISABLED');
  });

  it('finds the same inbox and conversation when it is enabled again, and sends agents what they missed', async () => {
    const { id } = await withAgent();
    const before = await world.stores.setup.findInboxByChatbot(ORG, 'bot-1');
    const { conversationId } = await world.session(id);
    await disableChatbot();
    await world.user(id, 'said meanwhile');
    const { inbox } = await enableChatbot();
    expect(inbox).toEqual({ ...before, state: 'READY', disabledCount: 1, reenabledAt: expect.any(String) });
    await world.ask(id);
    await world.deliverAll();
    expect((await world.session(id)).conversationId).toBe(conversationId);
    expect(world.provider.shown()).toContain('END_USER: said meanwhile');
    expect(world.provider.conversations).toHaveLength(1);
  });
});

describe('an organization whose support is disabled', () => {
  it('disables all of its chatbots, and enables them again with it', async () => {
    await world.flows.enableChatbot(scope, { chatbotId: 'bot-2', name: 'Bot two', accountId: null, policy: {} });
    await world.flows.disableChatbot(scope, 'bot-2');
    const { handoff } = await withAgent();
    const before = (await world.stores.setup.listAccounts(ORG))[0]!;

    expect(await world.flows.disableSupport(scope, null)).toMatchObject({
      endedHandoffs: 1,
      account: { id: before.id, state: 'DISABLED' },
    });
    expect(await world.handoff(handoff.id)).toMatchObject({ state: 'ENDED', endReason: 'OPERATOR_ENDED' });
    expect(await codeOf(enableChatbot())).toBe('ORGANIZATION_NOT_ENABLED');
    expect(
      await codeOf(
        world.flows.enableChatbot(scope, { chatbotId: 'bot-1', name: 'x', accountId: before.id, policy: {} }),
      ),
    ).toBe('ACCOUNT_DISABLED');

    const { account } = await enableSupport();
    expect(account).toMatchObject({
      id: before.id,
      externalId: before.externalId,
      state: 'READY',
      webhookSecret: before.webhookSecret,
    });
    const states = (await world.stores.setup.listInboxes(ORG, before.id))
      .map(({ chatbotId, state, externalId }) => [chatbotId, state, externalId])
      .sort();
    expect(states).toEqual([
      ['bot-1', 'READY', 'inbox-1'],
      ['bot-2', 'DISABLED', 'inbox-1'],
    ]);
  });

  it('reports which chatbot could not be enabled again, and enables it at the next attempt', async () => {
    await world.flows.disableSupport(scope, null);
    const { ensureInbox } = world.provider;
    world.provider.ensureInbox = () => Promise.reject(Object.assign(new Error('timed out'), { name: 'TimeoutError' }));
    expect((await enableSupport()).manualSteps).toEqual([expect.stringContaining('bot-1')]);
    expect(await world.stores.setup.findInboxByChatbot(ORG, 'bot-1')).toMatchObject({ state: 'DISABLED' });
    world.provider.ensureInbox = ensureInbox;
    expect((await enableSupport()).manualSteps).toEqual([]);
    expect(await world.stores.setup.findInboxByChatbot(ORG, 'bot-1')).toMatchObject({ state: 'READY', problem: null });
  });

  it('reports a chatbot that somebody else is setting up, and enables the others', async () => {
    await world.flows.enableChatbot(scope, { chatbotId: 'bot-2', name: 'Bot two', accountId: null, policy: {} });
    await world.flows.disableSupport(scope, null);
    Object.assign(world.deps.limits, { setupMs: 500 });
    const inbox = (await world.stores.setup.findInboxByChatbot(ORG, 'bot-1'))!;
    const { account, manualSteps } = await world.stores.setupLocks.withLock(
      { id: inbox.id, field: 'x' },
      0,
      enableSupport,
    );
    expect({ state: account.state, manualSteps: manualSteps }).toEqual({
      state: 'READY',
      manualSteps: [expect.stringContaining('bot-1')],
    });
    expect(await world.stores.setup.findInboxByChatbot(ORG, 'bot-2')).toMatchObject({ state: 'READY' });
  });

  it('is not checked any more', async () => {
    await world.flows.disableSupport(scope, null);
    await world.pool.query('update support_account set next_check_at = now() where next_check_at is not null');
    expect(await world.stores.setup.claimChecks(10, 1_000)).toEqual([]);
  });
});

it('does not change name and policy of a chatbot while somebody else is setting it up', async () => {
  Object.assign(world.deps.limits, { setupMs: 50 });
  const before = (await world.stores.setup.findInboxByChatbot(ORG, 'bot-1'))!;
  const enabling = () =>
    world.flows.enableChatbot(scope, {
      chatbotId: 'bot-1',
      name: 'Other',
      accountId: null,
      policy: { whileWaiting: 'BOT_MAY_ANSWER' },
    });
  expect(await world.stores.setupLocks.withLock({ id: before.id, field: 'x' }, 0, () => codeOf(enabling()))).toBe(
    'SETUP_IN_PROGRESS',
  );
  expect(await world.stores.setup.findInboxByChatbot(ORG, 'bot-1')).toEqual(before);
});

/** The later decision of an operator counts, whatever is running. */
describe('what is disabled while it is being set up', () => {
  const account = async () => (await world.stores.setup.listAccounts(ORG))[0]!;
  const inbox = async () => (await world.stores.setup.findInboxByChatbot(ORG, 'bot-1'))!;
  const states = async () => ({ account: (await account()).state, inbox: (await inbox()).state });

  /** The setup calls its provider, or waits for the lock; meanwhile support is disabled. */
  async function during(step: 'ensureAccount' | 'ensureInbox', switchOff: () => Promise<unknown>): Promise<void> {
    const real = world.provider[step] as (...given: unknown[]) => Promise<unknown>;
    Object.assign(world.provider, {
      [step]: async (...given: unknown[]) => {
        const made = await real(...given);
        Object.assign(world.provider, { [step]: real });
        await switchOff();
        return made;
      },
    });
  }
  async function whileWaiting(
    subject: string,
    enable: () => Promise<unknown>,
    switchOff: () => Promise<unknown>,
  ): Promise<string | undefined> {
    let enabling: Promise<string | undefined> | undefined;
    await world.stores.setupLocks.withLock({ id: subject, field: 'x' }, 0, async () => {
      const asks = jest.spyOn(world.stores.setupLocks, 'withLock');
      enabling = codeOf(enable());
      while (asks.mock.calls.length === 0) await world.pool.query('select 1');
      asks.mockRestore();
      await switchOff();
    });
    return enabling;
  }
  const disableSupport = () => world.flows.disableSupport(scope, null);

  it('stays disabled when a chatbot waited for the setup lock', async () => {
    expect(await whileWaiting((await inbox()).id, enableChatbot, disableSupport)).toBe('ACCOUNT_DISABLED');
    expect(await states()).toEqual({ account: 'DISABLED', inbox: 'DISABLED' });
    await enableSupport();
    await disableChatbot();
    expect(await whileWaiting((await inbox()).id, enableChatbot, disableChatbot)).toBe('ACCOUNT_DISABLED');
    expect(await states()).toEqual({ account: 'READY', inbox: 'DISABLED' });
  });

  it('stays disabled when the provider was creating the inbox, and what was created there is kept', async () => {
    await world.pool.query('update inbox set external_id = null');
    await during('ensureInbox', disableSupport);
    expect(await codeOf(enableChatbot())).toBe('ACCOUNT_DISABLED');
    expect(await states()).toEqual({ account: 'DISABLED', inbox: 'DISABLED' });
    expect(await inbox()).toMatchObject({ externalId: 'inbox-1' });
    await enableSupport();
    expect(await states()).toEqual({ account: 'READY', inbox: 'READY' });
    await disableChatbot();
    await during('ensureInbox', disableChatbot);
    expect(await codeOf(enableChatbot())).toBe('ACCOUNT_DISABLED');
    expect(await states()).toEqual({ account: 'READY', inbox: 'DISABLED' });
  });

  it('stays disabled when an organization waited for the setup lock, or the provider was working on it', async () => {
    expect(await whileWaiting((await account()).id, enableSupport, disableSupport)).toBe('ACCOUNT_DISABLED');
    expect(await states()).toEqual({ account: 'DISABLED', inbox: 'DISABLED' });
    await during('ensureAccount', async () => world.flows.disableSupport(scope, (await account()).id));
    expect(await codeOf(enableSupport())).toBe('ACCOUNT_DISABLED');
    expect(await states()).toEqual({ account: 'DISABLED', inbox: 'DISABLED' });
    await enableSupport();
    expect(await states()).toEqual({ account: 'READY', inbox: 'READY' });
  });

  it('stays disabled when an organization that is enabled again was processing its chatbots', async () => {
    await disableSupport();
    await during('ensureInbox', disableChatbot);
    expect((await enableSupport()).manualSteps).toEqual([expect.stringContaining('bot-1')]);
    expect(await states()).toEqual({ account: 'READY', inbox: 'DISABLED' });
  });

  it('does not delay handoffs where an inbox is still enabled', async () => {
    const { id, handoff } = await withAgent();
    await world.user(id, 'one more thing');
    await world.pool.query("update support_account set state = 'DISABLED'");
    await workOff();
    expect(await world.handoff(handoff.id)).toMatchObject({ state: 'ENDED', endReason: 'OPERATOR_ENDED' });
    expect((await world.session(id)).control).toBe('BOT');
    expect(await codeOf(world.ask(id))).toBe('ACCOUNT_DISABLED');
  });
});
