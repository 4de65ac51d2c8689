import { startReceiver, type Receiver } from '../../support/receiver';
import { overWebSocket } from './following';
import { caller, createFlowWorld, type FlowWorld, ORG, type GraphqlApi, startGraphqlApi } from './room';

let world: FlowWorld;
let api: GraphqlApi;
let receiver: Receiver;
beforeEach(async () => {
  [world, receiver] = await Promise.all([createFlowWorld(), startReceiver()]);
  api = await startGraphqlApi(world);
});
afterEach(async () => {
  await api?.stop();
  await receiver?.close();
  await world?.close();
});

const OPERATOR = caller('operator');
const run = async (query: string, variables: object = {}, as = OPERATOR) => (await api.run(query, variables, as)).body;
const call = (name: string, answered: string, input: object, as = OPERATOR) =>
  run(
    `mutation ($input: ${name}Input!) { answer: ${name[0]!.toLowerCase()}${name.slice(1)}(input: $input) { ${answered} userErrors { code field } } }`,
    { input },
    as,
  );
const of =
  (verb: string) =>
  (endpointId: string, as = OPERATOR) =>
    call(
      `${verb[0]!.toUpperCase()}${verb.slice(1)}SupportRuntimeEndpoint`,
      verb === 'remove' ? 'removedId' : 'endpoint { id state disabledReason }',
      { endpointId },
      as,
    );
const register = async (as = OPERATOR) =>
  call('RegisterSupportRuntimeEndpoint', 'secret endpoint { id state chatbotId url }', { url: receiver.url }, as);
const LIST =
  '{ supportRuntimeEndpoints { id chatbotId url state disabledReason disabledAt firstFailureAt lastFailureAt lastFailureCode lastFailureStatus verifiedAt previousSecretExpiresAt createdAt } }';

describe('runtime endpoints', () => {
  it('are registered, enabled, rotated, disabled and removed', async () => {
    const { endpoint, secret } = (await register()).data.answer;
    expect([endpoint, secret]).toEqual([
      { id: expect.any(String), state: 'UNVERIFIED', chatbotId: null, url: receiver.url },
      expect.stringMatching(/^whsec_/),
    ]);
    expect((await register()).data.answer).toEqual({
      secret: null,
      endpoint: null,
      userErrors: [{ code: 'ENDPOINT_EXISTS', field: 'chatbotId' }],
    });
    receiver.verify = () => 500;
    expect((await of('enable')(endpoint.id)).data.answer).toEqual({
      endpoint: null,
      userErrors: [{ code: 'ENDPOINT_NOT_VERIFIED', field: 'endpointId' }],
    });
    receiver.verify = ({ body }) => ({ status: 200, body: JSON.stringify({ challenge: body.data.challenge }) });
    expect((await of('enable')(endpoint.id)).data.answer).toEqual({
      endpoint: { id: endpoint.id, state: 'ACTIVE', disabledReason: null },
      userErrors: [],
    });
    const rotated = (
      await call('RotateSupportRuntimeEndpointSecret', 'secret endpoint { previousSecretExpiresAt }', {
        endpointId: endpoint.id,
        previousValidSeconds: 60,
      })
    ).data.answer;
    expect(rotated).toEqual({
      secret: expect.stringMatching(/^whsec_/),
      endpoint: { previousSecretExpiresAt: '2026-11-22T12:01:00.000Z' },
      userErrors: [],
    });
    expect(rotated.secret).not.toBe(secret);
    expect((await of('disable')(endpoint.id)).data.answer.endpoint).toEqual({
      id: endpoint.id,
      state: 'DISABLED',
      disabledReason: 'OPERATOR',
    });
    expect((await run(LIST, {}, caller('ui'))).data.supportRuntimeEndpoints).toEqual([
      {
        id: endpoint.id,
        chatbotId: null,
        url: receiver.url,
        state: 'DISABLED',
        disabledReason: 'OPERATOR',
        disabledAt: '2026-11-22T12:00:00.000Z',
        firstFailureAt: null,
        lastFailureAt: null,
        lastFailureCode: null,
        lastFailureStatus: null,
        verifiedAt: '2026-11-22T12:00:00.000Z',
        previousSecretExpiresAt: '2026-11-22T12:01:00.000Z',
        createdAt: '2026-11-22T12:00:00.000Z',
      },
    ]);
    expect((await of('remove')(endpoint.id)).data.answer).toEqual({ removedId: endpoint.id, userErrors: [] });
    expect((await run(LIST)).data.supportRuntimeEndpoints).toEqual([]);
    expect(JSON.stringify(api.log)).not.toContain('whsec_');
  });

  it('are for operators of that organization', async () => {
    const { endpoint } = (await register()).data.answer;
    for (const verb of ['enable', 'disable', 'remove']) {
      expect((await of(verb)(endpoint.id, caller('operator', 'org-2'))).data.answer.userErrors).toEqual([
        { code: 'ENDPOINT_NOT_FOUND', field: 'endpointId' },
      ]);
      expect((await of(verb)(endpoint.id, caller('bot'))).errors[0].extensions.code).toBe('FORBIDDEN');
    }
    expect(
      (
        await call(
          'RotateSupportRuntimeEndpointSecret',
          'secret',
          { endpointId: endpoint.id },
          caller('operator', 'org-2'),
        )
      ).data.answer,
    ).toEqual({ secret: null, userErrors: [{ code: 'ENDPOINT_NOT_FOUND', field: 'endpointId' }] });
    expect((await register(caller('ui'))).errors[0].extensions.code).toBe('FORBIDDEN');
    expect((await run(LIST, {}, caller('operator', 'org-2'))).data.supportRuntimeEndpoints).toEqual([]);
    expect((await run(LIST)).data.supportRuntimeEndpoints).toHaveLength(1);
  });

  it('report which address is refused', async () => {
    expect(
      (await call('RegisterSupportRuntimeEndpoint', 'secret', { url: 'http://bot.example.com' })).data.answer,
    ).toEqual({ secret: null, userErrors: [{ code: 'ENDPOINT_URL_REFUSED', field: 'url' }] });
  });

  it("appear in a session's history when they are disabled", async () => {
    const { id } = await world.open();
    await world.stores.sessions.transact(ORG, id, tx =>
      tx.appendEvent(
        { type: 'RUNTIME_ENDPOINT_DISABLED', endpointId: 'e-1', reason: 'FAILING', code: 'ENDPOINT_UNREACHABLE' },
        null,
        '2026-11-22T12:00:00.000Z',
      ),
    );
    const { data } = await run(
      'query ($id: ID!) { supportSession(id: $id) { events(after: 1) { __typename at ... on SupportRuntimeEndpointDisabled { endpointId reason code } } } }',
      { id },
      caller('ui'),
    );
    expect(data.supportSession.events).toEqual([
      {
        __typename: 'SupportRuntimeEndpointDisabled',
        at: '2026-11-22T12:00:00.000Z',
        endpointId: 'e-1',
        reason: 'FAILING',
        code: 'ENDPOINT_UNREACHABLE',
      },
    ]);
  });
});

describe('acknowledgeRuntimeDeliveriesThrough', () => {
  const through = async (input: object, as = caller('bot')) =>
    await call('AcknowledgeRuntimeDeliveriesThrough', 'acknowledged', input, as);
  const INBOX =
    'query ($chatbotId: ID, $sessionId: ID) { supportRuntimeInbox(chatbotId: $chatbotId, sessionId: $sessionId) { pageInfo { endCursor } nodes { id cursor } } }';

  it('accepts a cursor of the query or of the subscription, and lets an ending handoff end', async () => {
    const session = await world.open();
    const { handoff } = await world.ask(session.id);
    await world.deliverAll();
    world.provider.agentSays('hello');
    world.provider.agentSays('goodbye');
    world.provider.set({ status: 'RESOLVED' });
    await world.read(session.id);
    expect((await world.handoff(handoff.id)).state).toBe('ENDING');

    const { nodes, pageInfo } = (await run(INBOX, {}, caller('bot'))).data.supportRuntimeInbox;
    expect(pageInfo.endCursor).toBe(nodes.at(-1).cursor);
    expect((await through({ cursor: nodes[0].cursor })).data.answer).toEqual({ acknowledged: 1, userErrors: [] });
    const following = overWebSocket(api.url, caller('bot'))(
      'subscription ($chatbotId: ID!) { supportRuntimeDeliveries(chatbotId: $chatbotId) { id cursor } }',
      { chatbotId: 'bot-1' },
    );
    const shown = await following.until(results => results.length === nodes.length - 1);
    expect(shown.map(({ data }) => data.supportRuntimeDeliveries.id)).toEqual(
      nodes.slice(1).map(({ id }: { id: string }) => id),
    );
    expect(
      (await through({ cursor: shown.at(-1).data.supportRuntimeDeliveries.cursor, chatbotId: 'bot-1' })).data.answer,
    ).toEqual({ acknowledged: nodes.length - 1, userErrors: [] });
    expect((await world.handoff(handoff.id)).state).toBe('ENDED');
    expect(await world.collected(session.id)).toEqual(['OUTCOME ENDED AGENT_RESOLVED']);
    await following.leave();
  });

  it('refuses a foreign cursor, and an empty filter', async () => {
    const session = await world.open();
    await world.ask(session.id);
    await world.deliverAll();
    const { nodes } = (await run(INBOX, { sessionId: session.id }, caller('bot'))).data.supportRuntimeInbox;
    const other = await world.open();
    expect((await through({ cursor: 'x' })).data.answer).toEqual({
      acknowledged: 0,
      userErrors: [{ code: 'CURSOR_INVALID', field: 'cursor' }],
    });
    expect((await through({ cursor: nodes[0].cursor, sessionId: other.id })).data.answer.userErrors).toEqual([
      { code: 'CURSOR_INVALID', field: 'cursor' },
    ]);
    expect((await through({ cursor: nodes[0].cursor, chatbotId: '' })).data.answer.userErrors).toEqual([
      { code: 'INPUT_INVALID', field: 'chatbotId' },
    ]);
    expect((await through({ cursor: nodes[0].cursor }, caller('operator', 'org-2'))).data.answer).toEqual({
      acknowledged: 0,
      userErrors: [],
    });
    expect((await through({ cursor: nodes[0].cursor }, caller('ui'))).errors[0].extensions.code).toBe('FORBIDDEN');
    expect(await world.inbox(session.id)).toHaveLength(2);
  });
});
