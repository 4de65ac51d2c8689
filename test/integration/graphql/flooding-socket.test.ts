import { once } from 'node:events';
import WebSocket from 'ws';
import { createFlowWorld, type FlowWorld } from '../../support/flow-world';
import { until } from '../../support/until';
import { caller, startRoom, type Room } from './room';

let world: FlowWorld;
let room: Room;
beforeAll(async () => {
  world = await createFlowWorld();
  // No ping of ours ends the socket meanwhile.
  room = await startRoom(world, { pingIntervalMs: 1_000_000 });
});
afterAll(async () => {
  await room.stop();
  await world.close();
});

const connections = (): Promise<number> =>
  new Promise((resolve, reject) => {
    room.server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });
const PING = JSON.stringify({ type: 'ping', payload: { text: 'x'.repeat(60_000) } });

async function opened(): Promise<WebSocket> {
  const ws = new WebSocket(room.wsUrl, 'graphql-transport-ws');
  ws.on('error', () => undefined);
  await once(ws, 'open');
  ws.send(JSON.stringify({ type: 'connection_init', payload: caller('bot') }));
  await once(ws, 'message');
  return ws;
}

it('is cut when its peer sends on and takes nothing of what it gets', async () => {
  const ws = await opened();
  ws.pause();
  await until(async () => {
    ws.send(PING);
    return (await connections()) === 0;
  });
  ws.terminate();
});

it('stays when its peer takes what it gets, however much that is', async () => {
  const ws = await opened();
  for (let i = 0; i < 40; i++) {
    ws.send(PING);
    await once(ws, 'message');
  }
  expect(ws.readyState).toBe(WebSocket.OPEN);
  ws.terminate();
});
