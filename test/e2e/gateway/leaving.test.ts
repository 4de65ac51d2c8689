import { overSse } from '../../integration/graphql/following';
import {
  createFlowWorld,
  type FlowWorld,
  type GraphqlApi,
  SECRET,
  startGraphqlApi,
} from '../../integration/graphql/room';
import { startStranger } from '../../support/stranger-subgraph';
import { composed, type Hive, identity, startHive } from './subject';
import { printSubgraphSchema } from '../../../src/graphql';
import { until } from '../../support/until';

let world: FlowWorld;
let api: GraphqlApi;
let stranger: Awaited<ReturnType<typeof startStranger>>;
beforeAll(async () => {
  world = await createFlowWorld();
  api = await startGraphqlApi(world);
  stranger = await startStranger();
});
afterAll(async () => {
  await api?.stop();
  await stranger?.stop();
  await world?.close();
});

it.each(['ws', 'sse'] as const)(
  'the subscription is freed when the client leaves a gateway that subscribes over %s',
  async transport => {
    const supergraphSdl = composed(await printSubgraphSchema(api.graphql.schema), api.url, stranger.url);
    const hive: Hive = await startHive(transport, supergraphSdl, api.url, SECRET);
    try {
      const { id } = await world.open();
      const status = overSse(hive.url, identity('ui'))(
        'subscription ($id: ID!) { conversationStatus(sessionId: $id) { seq } }',
        { id },
      );
      await status.until(results => results.length === 1);
      expect(api.graphql.subscriptionCount()).toBe(1);
      await status.leave();
      await until(() => api.graphql.subscriptionCount() === 0);
    } finally {
      await hive.stop();
    }
  },
);
