import { overSse } from '../../integration/graphql/following';
import { createFlowWorld, type FlowWorld, type Room, SECRET, startRoom } from '../../integration/graphql/room';
import { startStranger } from '../../support/stranger-subgraph';
import { composed, type Hive, identity, startHive } from './subject';
import { printSubgraphSchema } from '../../../src/graphql';
import { until } from '../../support/until';

let world: FlowWorld;
let room: Room;
let stranger: Awaited<ReturnType<typeof startStranger>>;
beforeAll(async () => {
  world = await createFlowWorld();
  room = await startRoom(world);
  stranger = await startStranger();
});
afterAll(async () => {
  await room?.stop();
  await stranger?.stop();
  await world?.close();
});

it.each(['ws', 'sse'] as const)(
  'frees the subscription when the client leaves a gateway that subscribes over %s',
  async transport => {
    const supergraphSdl = composed(await printSubgraphSchema(room.graphql.schema), room.url, stranger.url);
    const hive: Hive = await startHive(transport, supergraphSdl, room.url, SECRET);
    try {
      const { id } = await world.open();
      const status = overSse(hive.url, identity('ui'))(
        'subscription ($id: ID!) { conversationStatus(sessionId: $id) { seq } }',
        { id },
      );
      await status.until(results => results.length === 1);
      expect(room.graphql.subscriptionCount()).toBe(1);
      await status.leave();
      await until(() => room.graphql.subscriptionCount() === 0);
    } finally {
      await hive.stop();
    }
  },
);
