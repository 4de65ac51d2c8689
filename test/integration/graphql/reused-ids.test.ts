import { once } from 'node:events';
import WebSocket from 'ws';
import { createFlowWorld, type FlowWorld } from '../../../src/testing/flow-world';
import { until } from '../../support/until';
import { caller, startGraphqlApi, type GraphqlApi } from './room';

let world: FlowWorld;
let api: GraphqlApi;
beforeAll(async () => {
  world = await createFlowWorld();
  api = await startGraphqlApi(world);
});
afterAll(async () => {
  await api.stop();
  await world.close();
});

const RECORD =
  'mutation ($input: RecordEndUserMessageInput!) { recordEndUserMessage(input: $input) { message { id } } }';

it('every subscription of a socket ends when it closes, also one whose id an older operation still had', async () => {
  const { id: sessionId } = await world.open();
  const holder = await world.pool.connect();
  await holder.query('begin');
  await holder.query('select from session where id = $1 for update', [sessionId]);
  const isLockWaitedFor = async () =>
    (
      await world.pool.query(
        "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()",
      )
    ).rowCount === 1;

  const ws = new WebSocket(api.wsUrl, 'graphql-transport-ws');
  const messages: { type: string; id?: string; payload?: { data?: object } }[] = [];
  ws.on('message', (text: Buffer) => messages.push(JSON.parse(String(text)) as never));
  const send = (message: object): void => ws.send(JSON.stringify(message));
  const came = (field: string) =>
    until(() => messages.some(({ type, payload }) => type === 'next' && field in (payload?.data ?? {})));
  await once(ws, 'open');
  send({ type: 'connection_init', payload: caller('bot') });
  await until(() => messages.length === 1);

  send({
    type: 'subscribe',
    id: '1',
    payload: { query: RECORD, variables: { input: { sessionId, text: 'held', idempotencyKey: world.nextKey() } } },
  });
  await until(isLockWaitedFor);
  send({ type: 'complete', id: '1' });
  send({
    type: 'subscribe',
    id: '1',
    payload: { query: `subscription { conversationStatus(sessionId: "${sessionId}") { __typename } }` },
  });
  await came('conversationStatus');
  await holder.query('rollback');
  holder.release();
  await came('recordEndUserMessage');
  ws.close();
  await once(ws, 'close');
  await until(() => api.graphql.subscriptionCount() === 0);
});
