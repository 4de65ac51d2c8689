import { randomUUID } from 'node:crypto';
import { ApolloGateway, type GraphQLDataSourceProcessOptions, RemoteGraphQLDataSource } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { type Following, overSse } from '../../integration/graphql/following';
import { type Hive, identity, ORGANIZATION, post, SECRET, startHive, startSubject, type Subject } from './subject';

let subject: Subject;
beforeAll(async () => {
  subject = await startSubject();
}, 120_000);
afterAll(() => subject?.stop());

const OPEN =
  'mutation ($input: OpenSupportSessionInput!) { openSupportSession(input: $input) { session { id } userErrors { code message } } }';
const ASK =
  'mutation ($input: RequestHandoffInput!) { requestHandoff(input: $input) { handoff { id } userErrors { code } } }';
const CANCEL =
  'mutation ($input: CancelHandoffInput!) { cancelHandoff(input: $input) { handoff { id } userErrors { code } } }';

async function open(): Promise<string> {
  const { data } = await subject.run(OPEN, { input: { chatbotId: 'bot-1', channel: 'web', externalId: randomUUID() } });
  return data.openSupportSession.session.id as string;
}

describe("through Apollo's gateway", () => {
  class WithIdentity extends RemoteGraphQLDataSource {
    override willSendRequest({ request, context }: GraphQLDataSourceProcessOptions): void {
      for (const [name, value] of Object.entries({
        'x-support-gateway-secret': SECRET,
        ...(context as Record<string, string>),
      }))
        request.http?.headers.set(name, value);
    }
  }
  let gateway: ApolloServer;
  beforeAll(async () => {
    gateway = new ApolloServer({
      gateway: new ApolloGateway({
        supergraphSdl: subject.supergraphSdl,
        buildService: ({ name, url }) =>
          name === 'support' ? new WithIdentity({ url }) : new RemoteGraphQLDataSource({ url }),
      }),
    });
    await gateway.start();
  });
  afterAll(() => gateway?.stop());
  const run = async (query: string, variables: Record<string, unknown> = {}, as = identity()): Promise<any> =>
    ((await gateway.executeOperation({ query, variables }, { contextValue: as })).body as any).singleResult;

  it("a mutation's result is joined with other teams' fields", async () => {
    const sessionId = await open();
    const { data, errors } = await run(
      `mutation ($input: RequestHandoffInput!) { requestHandoff(input: $input) {
      handoff { state session { chatbot { name organization { name } } organization { name plan createdAt } } } userErrors { code } } }`,
      { input: { sessionId, idempotencyKey: randomUUID() } },
    );
    expect(errors).toBeUndefined();
    expect(data.requestHandoff).toEqual({
      userErrors: [],
      handoff: {
        state: 'REQUESTED',
        session: {
          chatbot: { name: 'Bot bot-1', organization: { name: 'Organization org-1' } },
          organization: { name: 'Organization org-1', plan: { seats: 3 }, createdAt: '2026-01-02T03:04:05.000Z' },
        },
      },
    });
  });

  it("a list of other teams' chatbots gets our support fields, in order, null where there are none", async () => {
    const ids = Array.from({ length: 100 }, (_, i) => (i === 42 ? 'bot-1' : `unknown-${i}`));
    const { data, errors } = await run(
      'query ($ids: [ID!]!) { chatbots(ids: $ids) { edges { node { id name support { state inbox { name account { provider } } } } } pageInfo { hasNextPage } } }',
      { ids },
    );
    expect(errors).toBeUndefined();
    expect(data.chatbots.edges.map(({ node }: any) => node.id)).toEqual(ids);
    expect(data.chatbots.edges.map(({ node }: any) => node.support)).toEqual(
      ids.map(id =>
        id === 'bot-1' ? { state: 'READY', inbox: { name: 'Bot one', account: { provider: 'desk' } } } : null,
      ),
    );
  });

  it("organizations and users get the caller's data, and a foreign organization gets nothing", async () => {
    const query =
      'query ($id: ID!) { organization(id: $id) { name supportAccounts { provider state } } me { name supportAgents { name } } }';
    expect(await run(query, { id: ORGANIZATION })).toEqual({
      data: {
        organization: { name: 'Organization org-1', supportAccounts: [{ provider: 'desk', state: 'READY' }] },
        me: { name: 'User user-1', supportAgents: [] },
      },
    });
    expect(await run(query, { id: ORGANIZATION }, identity('gateway', 'org-2'))).toMatchObject({
      data: { organization: { name: 'Organization org-1', supportAccounts: [] } },
    });
  });

  it('an error keeps its code, and a userError all its fields', async () => {
    const { data } = await run(
      'mutation ($input: SendBotMessageInput!) { sendBotMessage(input: $input) { userErrors { code field control epoch } } }',
      { input: { sessionId: await open(), epoch: 7, text: 'x', idempotencyKey: randomUUID() } },
    );
    expect(data.sendBotMessage.userErrors).toEqual([
      { code: 'CONTROL_LOST', field: 'epoch', control: 'BOT', epoch: 1 },
    ]);
    const { errors } = await run(CANCEL, { input: { sessionId: 'x', idempotencyKey: 'k' } }, identity('ui'));
    expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  });
});

describe("through Hive's gateway", () => {
  const TRANSPORTS = ['ws', 'sse'] as const;
  const gateways = {} as Record<(typeof TRANSPORTS)[number], Hive>;
  const leaving: Following[] = [];
  beforeAll(async () => {
    // One before each replica, each with its own way to subscribe.
    await Promise.all(
      TRANSPORTS.map(async (transport, replica) => {
        const url = subject.urls[replica]!;
        gateways[transport] = await startHive(transport, subject.supergraphSdl.replaceAll(subject.urls[0], url), url);
      }),
    );
  });
  afterEach(async () => {
    await Promise.all(leaving.splice(0).map(one => one.leave()));
  });
  afterAll(async () => {
    await Promise.all(Object.values(gateways).map(gateway => gateway.stop()));
  });

  const pair = (transport: 'ws' | 'sse'): [Hive, Hive] =>
    transport === 'ws' ? [gateways.ws, gateways.sse] : [gateways.sse, gateways.ws];
  const follow = (gateway: Hive, query: string, variables: Record<string, unknown>, as = identity('ui')): Following => {
    const following = overSse(gateway.url, as)(query, variables);
    leaving.push(following);
    return following;
  };

  it.each(TRANSPORTS)(
    "a conversation's status over %s starts with the current state, returns each change of either replica, and is joined",
    async transport => {
      const [hive, other] = pair(transport);
      const sessionId = await open();
      const status = follow(
        hive,
        `subscription ($id: ID!) { conversationStatus(sessionId: $id) { seq isSnapshot control epoch mayReply handoffState session { chatbot { name } organization { name } } } }`,
        { id: sessionId },
      );
      await status.until(results => results.length === 1);
      expect(status.results[0]).toEqual({
        data: {
          conversationStatus: {
            seq: 1,
            isSnapshot: true,
            control: 'BOT',
            epoch: 1,
            mayReply: true,
            handoffState: null,
            session: { chatbot: { name: 'Bot bot-1' }, organization: { name: 'Organization org-1' } },
          },
        },
      });
      await post(hive.url, ASK, { input: { sessionId, idempotencyKey: randomUUID() } }, identity('bot'));
      await status.until(results => results.at(-1).data.conversationStatus.handoffState === 'QUEUED');
      // The other replica ends it; this one's subscriber is notified.
      await post(other.url, CANCEL, { input: { sessionId, idempotencyKey: randomUUID() } }, identity('bot'));
      const results = await status.until(
        seen => seen.at(-1).data.conversationStatus.control === 'BOT' && seen.at(-1).data.conversationStatus.epoch > 1,
      );
      const states = results.map(({ data }) => data.conversationStatus.handoffState);
      expect(states.filter((state, i) => state !== states[i - 1])).toEqual([
        null,
        'REQUESTED',
        'QUEUED',
        'ENDING',
        'ENDED',
      ]);
      const seqs = results.map(({ data }) => data.conversationStatus.seq);
      expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
    },
  );

  it.each(TRANSPORTS)('handoffs by filter over %s resume after a cursor, on the other replica', async transport => {
    const [hive, other] = pair(transport);
    const query = `subscription ($filter: HandoffFilterInput, $after: String) { handoffChanges(filter: $filter, after: $after) { cursor snapshot { handoffs { id session { chatbot { name } } } } change { from to handoff { id session { chatbot { name } } } } } }`;
    const sessionId = await open();
    const variables = { filter: { sessionId } };
    const { data } = await post(hive.url, ASK, { input: { sessionId, idempotencyKey: randomUUID() } }, identity('bot'));
    const joined = { id: data.requestHandoff.handoff.id, session: { chatbot: { name: 'Bot bot-1' } } };
    const first = follow(hive, query, variables);
    await first.until(results => results.length === 1);
    expect(first.results[0].data.handoffChanges).toMatchObject({ snapshot: { handoffs: [joined] }, change: null });
    const { cursor } = first.results[0].data.handoffChanges;
    await first.leave();

    await post(hive.url, CANCEL, { input: { sessionId, idempotencyKey: randomUUID() } }, identity('bot'));
    const second = follow(other, query, { ...variables, after: cursor });
    const results = await second.until(seen => seen.at(-1)?.data.handoffChanges.change?.to === 'ENDED');
    expect(results.map(({ data: { handoffChanges } }) => handoffChanges.change.handoff)).toEqual(
      results.map(() => joined),
    );
    expect(results.slice(-2).map(({ data: { handoffChanges } }) => handoffChanges.change.to)).toEqual([
      'ENDING',
      'ENDED',
    ]);
  });

  it.each(TRANSPORTS)('an unknown session is refused over %s with its code', async transport => {
    const status = follow(gateways[transport], 'subscription { conversationStatus(sessionId: "x") { seq } }', {});
    await status.until(results => results.length === 1);
    expect(status.results[0].errors).toMatchObject([{ extensions: { code: 'SESSION_NOT_FOUND' } }]);
  });
});
