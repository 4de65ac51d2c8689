import { once } from 'node:events';
import WebSocket from 'ws';
import { createFlowWorld, type FlowWorld } from '../../../src/testing/flow-world';
import { until } from '../../support/until';
import { caller, startGraphqlApi, type GraphqlApi } from './room';

let world: FlowWorld;
let api: GraphqlApi;
beforeAll(async () => {
  world = await createFlowWorld();
  // No ping of ours ends the socket meanwhile.
  api = await startGraphqlApi(world, { pingIntervalMs: 1_000_000 });
});
afterAll(async () => {
  await api.stop();
  await world.close();
});

const connections = (): Promise<number> =>
  new Promise((resolve, reject) => {
    api.server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });
const PING = JSON.stringify({ type: 'ping', payload: { text: 'x'.repeat(60_000) } });

async function opened(): Promise<WebSocket> {
  const ws = new WebSocket(api.wsUrl, 'graphql-transport-ws');
  ws.on('error', () => undefined);
  await once(ws, 'open');
  ws.send(JSON.stringify({ type: 'connection_init', payload: caller('bot') }));
  await once(ws, 'message');
  return ws;
}

it('a socket is cut when its peer keeps sending and reads nothing', async () => {
  const ws = await opened();
  ws.pause();
  await until(async () => {
    ws.send(PING);
    return (await connections()) === 0;
  });
  ws.terminate();
});

it('a socket stays open when its peer reads, however much that is', async () => {
  const ws = await opened();
  for (let i = 0; i < 40; i++) {
    ws.send(PING);
    await once(ws, 'message');
  }
  expect(ws.readyState).toBe(WebSocket.OPEN);
  ws.terminate();
});
