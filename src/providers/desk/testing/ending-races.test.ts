import { createFlowWorld, ORG, scope, type FlowWorld } from '../../../testing/flow-world';
import { createFlows } from '../../../core/flows';
import type { Flows } from '../../../core/flows/api';
import { deliver } from '../../../core/flows/to-provider/deliver';
import type { FlowDeps } from '../../../core/flows/deps';
import { syncConversation } from '../../../core/flows/from-provider/sync-conversation';
import type { ProviderHost } from '../../../core/ports/provider/definition';
import { createLease } from '../../../testing/lease';
import { desk } from '..';

let world: FlowWorld;
let deps: FlowDeps;
let flows: Flows;
let call: (method: string, path: string, body?: object) => Promise<any>;
beforeEach(async () => {
  world = await createFlowWorld();
  const host: ProviderHost = {
    hint: () => undefined,
    fetch,
    replicas: () => 1,
    now: () => world.time.ms,
    log: () => undefined,
    database: {
      query: (text, values) => world.pool.query(text, values as unknown[]),
      async transaction(work) {
        const client = await world.pool.connect();
        try {
          await client.query('begin');
          const done = await work((text, values) => client.query(text, values as unknown[]));
          await client.query('commit');
          return done;
        } catch (error) {
          await client.query('rollback');
          throw error;
        } finally {
          client.release();
        }
      },
    },
  };
  deps = { ...world.deps, providers: new Map([['desk', { definition: desk, instance: desk.create(host) }]]) };
  flows = createFlows(deps);
  const { account } = await flows.enableSupport(scope, {
    provider: 'desk',
    name: 'Desk',
    baseUrl: null,
    settings: {},
    credentials: {},
    owners: [{ name: 'Ada', email: 'ada@owners.example' }],
  });
  await flows.enableChatbot(scope, { chatbotId: 'bot-desk', name: 'Desk bot', accountId: account.id, policy: {} });
  const routes = desk.routes!(host);
  const [ada] = await world.stores.setup.listAgents(ORG, account.id);
  call = async (method, path, body) => {
    const { status, body: answer } = await routes({
      method,
      path,
      query: new URLSearchParams(),
      headers: { 'content-type': 'application/json', 'x-desk-agent': ada!.externalId },
      readBody: async () => Buffer.from(body === undefined ? '' : JSON.stringify(body)),
      caller: { organizationId: ORG, role: 'ui', userId: null },
    });
    if (status >= 300) throw new Error(String(answer));
    return JSON.parse(String(answer));
  };
});
afterEach(() => world.close());

async function deliverAll(): Promise<void> {
  for (;;) {
    const [lane] = await world.stores.lanes.claimDeliveries('PROVIDER', 1, 60_000);
    if (!lane) return;
    await deliver(deps, lane.delivery, createLease());
    await world.stores.lanes.complete(lane);
  }
}
const asks = (sessionId: string) =>
  flows.requestHandoff(scope, {
    sessionId,
    target: { team: null, agent: null },
    reason: null,
    summary: null,
    intent: null,
    fields: {},
    priority: null,
    resumeTarget: null,
    epoch: null,
    idempotencyKey: world.nextKey(),
  });
async function taken() {
  const {
    session: { id },
  } = await flows.openSession(scope, { chatbotId: 'bot-desk', channel: 'web', externalId: 'chat', endUser: {} });
  await flows.recordEndUserMessage(scope, {
    sessionId: id,
    text: 'help',
    attachments: [],
    messageId: null,
    idempotencyKey: world.nextKey(),
  });
  await asks(id);
  await deliverAll();
  const { conversationId } = await world.session(id);
  const says = (text: string) =>
    call('POST', `/api/conversations/${conversationId}/messages`, { text, visibility: 'PUBLIC' });
  await says('hello');
  await syncConversation(deps, ORG, id);
  await world.acknowledgeAll(id);
  return { id, says };
}
/** Returns all deliveries to the runtime, in order: a message's text, else the kind. */
async function deliveriesTo(sessionId: string): Promise<string[]> {
  const { rows } = await world.pool.query<{ kind: string; text: string | null }>(
    "select d.kind, m.text from delivery d left join message m on m.id::text = d.payload ->> 'messageId' where d.session_id = $1 and d.destination = 'RUNTIME' order by d.id",
    [sessionId],
  );
  return rows.map(({ kind, text }) => text ?? kind);
}
const states = async (sessionId: string) =>
  (
    await world.stores.handoffs.page(
      ORG,
      { chatbotIds: null, states: null, live: null, teamIds: null, sessionId },
      { first: 9, after: null },
    )
  ).edges.map(({ node }) => `${node.origin} ${node.state}`);

const end = (reason: 'BOT_CANCELLED' | 'USER_ENDED' | 'OPERATOR_ENDED') => (sessionId: string) =>
  flows.endHandoff(scope, { sessionId, handoffId: null, reason, idempotencyKey: world.nextKey() });
const WAYS: readonly (readonly [string, (sessionId: string) => Promise<unknown>])[] = [
  ['BOT_CANCELLED', end('BOT_CANCELLED')],
  ['USER_ENDED', end('USER_ENDED')],
  ['OPERATOR_ENDED', end('OPERATOR_ENDED')],
  ['SESSION_CLOSED', sessionId => flows.closeSession(scope, { sessionId, idempotencyKey: world.nextKey() })],
  ['switched off', () => flows.disableChatbot(scope, 'bot-desk')],
];

describe('an agent at the desk who replies while the handoff ends', () => {
  it.each(
    WAYS.flatMap(
      ([reason, ends]) =>
        [
          ['first', ends, reason],
          ['last', ends, reason],
        ] as const,
    ),
  )('is received before the outcome and starts nothing, whether the sync comes %s', async (sync, ends, reason) => {
    const { id, says } = await taken();
    await says('one moment');
    await ends(id);
    const isOff = reason === 'switched off';
    if (sync === 'last') await deliverAll();
    if (!isOff) await syncConversation(deps, ORG, id);
    await deliverAll();
    await world.acknowledgeAll(id);
    if (!isOff) await syncConversation(deps, ORG, id);
    expect(await states(id)).toEqual(['REQUESTED ENDED']);
    expect((await deliveriesTo(id)).slice(-2)).toEqual(['one moment', 'HANDOFF_OUTCOME']);
    expect((await world.session(id)).control).toBe('BOT');
  });

  it('is received before the outcome when another handoff is requested at once, and takes nobody into that one', async () => {
    const { id, says } = await taken();
    await says('one moment');
    await end('BOT_CANCELLED')(id);
    world.time.ms += 1;
    await asks(id);
    await deliverAll();
    await syncConversation(deps, ORG, id);
    expect((await deliveriesTo(id)).filter(line => line === 'one moment' || line === 'HANDOFF_OUTCOME')).toEqual([
      'one moment',
      'HANDOFF_OUTCOME',
    ]);
    expect(await states(id)).toEqual(['REQUESTED QUEUED', 'REQUESTED ENDED']);
  });

  it('takes it over after it was returned by an attempt that could not record that', async () => {
    const { id, says } = await taken();
    await end('BOT_CANCELLED')(id);
    await syncConversation(deps, ORG, id);
    const { definition, instance } = deps.providers.get('desk')!;
    const returnToBot: typeof instance.returnToBot = async (...given) => {
      await instance.returnToBot(...given);
      throw new Error('The process dies here.');
    };
    const dying = {
      ...deps,
      providers: new Map([
        [
          'desk',
          {
            definition,
            instance: new Proxy(instance, {
              get: (of, name) => (name === 'returnToBot' ? returnToBot : Reflect.get(of, name)) as unknown,
            }),
          },
        ],
      ]),
    };
    const [lane] = await world.stores.lanes.claimDeliveries('PROVIDER', 1, 60_000);
    await expect(deliver(dying, lane!.delivery, createLease())).rejects.toThrow('dies here');
    await world.pool.query("update lane set next_run_at = now() where destination = 'PROVIDER'");
    world.time.ms += 1;
    await says('are you there?');
    await syncConversation(deps, ORG, id);
    expect((await states(id))[0]).toBe('REQUESTED ENDED');
    await deliverAll();
    expect((await states(id))[0]).toBe('AGENT_TAKEOVER ACTIVE');
  });

  it('and replies again after it was returned takes it over', async () => {
    const { id, says } = await taken();
    await end('BOT_CANCELLED')(id);
    await syncConversation(deps, ORG, id);
    await deliverAll();
    await syncConversation(deps, ORG, id);
    world.time.ms += 1;
    await says('are you there?');
    await syncConversation(deps, ORG, id);
    expect((await states(id))[0]).toBe('AGENT_TAKEOVER ACTIVE');
  });
});
