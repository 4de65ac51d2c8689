import { randomUUID } from 'node:crypto';
import type { NewMessage } from '../../src/core/message';
import type { RuntimeEndpoint } from '../../src/core/runtime-endpoint';
import { CircuitBreakers } from '../../src/delivery/remote-limiter';
import { LaneRunner } from '../../src/delivery/lane-runner';
import { createRuntimeHandler } from '../../src/delivery/runtime-handler';
import { createFlowWorld, scope, type FlowWorld } from '../../src/testing/flow-world';
import { startReceiver, type Receiver } from './receiver';

/** Flows over a real Postgres and a real receiver. The test controls the pushes. */
export interface PushWorld extends FlowWorld {
  readonly receiver: Receiver;
  readonly logged: { readonly fields: Readonly<Record<string, unknown>>; readonly message: string }[];
  /** Registers the receiver, gives it its secret, and verifies it. */
  endpoint(chatbotId?: string | null, receiver?: Receiver): Promise<RuntimeEndpoint>;
  endpointNow(id: string): Promise<RuntimeEndpoint>;
  /** Creates another replica's runner. */
  runner(): { tick(): Promise<boolean>; waitUntilIdle(): Promise<void> };
  /** Pushes until nothing is due. */
  push(): Promise<void>;
  /** Ends every wait for a retry, and every lease. */
  passRetries(): Promise<void>;
  /** Returns in how many seconds the lanes' heads are due, if not now. */
  retryDelays(): Promise<number[]>;
  /** Records messages of an agent, as a sync would. */
  agentSays(sessionId: string, ...texts: string[]): Promise<void>;
  /** Returns what the receiver got, in the order of arrival. */
  receivedTexts(): string[];
  sql<Row extends object = Record<string, unknown>>(text: string, values?: unknown[]): Promise<Row[]>;
}

export async function createPushWorld(): Promise<PushWorld> {
  const world = await createFlowWorld();
  const receiver = await startReceiver();
  const logged: PushWorld['logged'][number][] = [];
  const note = (fields: Readonly<Record<string, unknown>>, message: string): void => {
    logged.push({ fields, message });
  };
  const log = { info: note, warn: note, error: note };
  const runner = () => {
    // Pauses of remotes are over as soon as they begin.
    let now = 0;
    const circuits = new CircuitBreakers(
      () => (now += 1_000_000),
      () => 0.5,
      () => undefined,
    );
    return new LaneRunner(
      world.stores.lanes,
      createRuntimeHandler(world.deps, log),
      { leaseMs: 60_000, concurrency: 8, concurrencyPerRemote: 8, pollMs: 1_000 },
      circuits,
      log,
      () => undefined,
    );
  };
  const own = runner();
  const sql = async <Row extends object>(text: string, values: unknown[] = []) =>
    (await world.pool.query<Row>(text, values)).rows;
  const pushWorld: PushWorld = {
    ...world,
    receiver,
    logged,
    runner,
    sql,
    async endpoint(chatbotId = null, at = receiver) {
      const { endpoint, secret } = await world.flows.registerEndpoint(scope, { url: at.url, chatbotId });
      at.secrets.push(secret);
      return world.flows.enableEndpoint(scope, endpoint.id);
    },
    async endpointNow(id) {
      return (await world.stores.endpoints.listByOrganization(scope.organizationId)).find(one => one.id === id)!;
    },
    async push() {
      while (await own.tick()) await own.waitUntilIdle();
    },
    async passRetries() {
      await sql("update lane set next_run_at = now() where destination = 'RUNTIME' and next_run_at > now()");
    },
    async retryDelays() {
      const rows = await sql<{ seconds: number }>(`
        select extract(epoch from next_run_at - now())::float8 as seconds from lane where destination = 'RUNTIME' and next_run_at > now() order by 1`);
      return rows.map(({ seconds }) => seconds);
    },
    async agentSays(sessionId, ...texts) {
      await world.stores.sessions.transact(scope.organizationId, sessionId, async tx => {
        for (const text of texts)
          await tx.enqueueForRuntime({ kind: 'MESSAGE', messageId: (await tx.insertMessage(agentMessage(text))).id });
      });
    },
    receivedTexts: () =>
      receiver.received.map(({ body }) => (body.data.message as { text: string } | undefined)?.text ?? body.type),
    async close() {
      await own.waitUntilIdle();
      await receiver.close();
      await world.close();
    },
  };
  return pushWorld;
}

export const agentMessage = (text: string): NewMessage => ({
  id: randomUUID(),
  author: 'AGENT',
  visibility: 'PUBLIC',
  text,
  attachments: [],
  authorName: 'Alice',
  agentId: null,
  handoffId: null,
  callerMessageId: null,
  providerMessageId: null,
  createdAt: '2026-11-22T12:00:00.000Z',
});
