import 'reflect-metadata';
import { parentPort, workerData } from 'node:worker_threads';
import { execute, type ExecutionResult, parse } from 'graphql';
import { buildSupportSchema } from '../../src/graphql';
import { OperationContext } from '../../src/graphql/operation/context';
import { DEFAULT_GRAPHQL_LIMITS } from '../../src/graphql/operation/limits';
import { createRunner } from '../../src/graphql/transport/create-runner';

/** One operation, measured in a thread of its own, so that its use of the heap ends nothing else. */
export interface Measurement {
  readonly query: string;
  readonly variables: Record<string, unknown>;
  readonly isBounded: boolean;
}
export interface Measured {
  readonly ms: number;
  readonly slots: number;
  readonly standstillMs: number;
  readonly bytes: number;
  readonly code: string | null;
}

const ORG = 'org-1';
const AGENTS = 300;
const account = {
  id: 'account-1',
  organizationId: ORG,
  provider: 'idle',
  name: 'One',
  settings: {},
  credentials: {},
  state: 'READY',
};
const agents = Array.from({ length: AGENTS }, (_, i) => ({
  id: `agent-${i}`,
  organizationId: ORG,
  accountId: account.id,
  externalId: String(i),
  name: `Agent ${i}`,
  email: null,
  role: 'AGENT',
  userId: null,
}));
/** One account with 300 agents, in memory: this measures the execution, not Postgres. */
const stores = {
  setup: {
    listAccounts: async () => [account],
    findAccountsByIds: async (_organization: string, ids: readonly string[]) => ids.map(() => account),
    listAgents: async () => agents,
    listAgentsOfAccounts: async () => agents,
    findAgentsByUsers: async () => new Map<string, unknown>(),
  },
  sessions: {},
  handoffs: {},
  messages: {},
  events: {},
  deliveries: {},
  deadLetters: {},
  endpoints: {},
};

async function measure({ query, variables, isBounded }: Measurement): Promise<Measured> {
  const schema = await buildSupportSchema({ flows: {}, stores } as never);
  const context = new OperationContext(
    { stores, live: {} } as never,
    { organizationId: ORG, role: 'operator', userId: null },
    'bench',
  );
  const { runner } = await createRunner(schema, DEFAULT_GRAPHQL_LIMITS, () => undefined);
  const run = async (): Promise<ExecutionResult> => {
    if (!isBounded)
      return execute({ schema, document: parse(query), variableValues: variables, contextValue: context });
    const prepared = await runner.prepare({ query, variables }, context);
    if (!('schema' in prepared)) return { errors: prepared };
    const results = await runner.execute(prepared);
    return Symbol.asyncIterator in results ? ((await results.next()).value as ExecutionResult) : results;
  };
  const watch = await watchLoop();
  const from = performance.now();
  const result = await run();
  const bytes = JSON.stringify(result).length;
  const ms = performance.now() - from;
  return {
    ms,
    ...(await watch()),
    bytes,
    code: (result.errors?.[0]?.extensions['code'] as string | undefined) ?? null,
  };
}

/**
 * Watches the iterations of the event loop.
 * @returns a function that ends this and returns their number and the longest time between two of them
 */
async function watchLoop(): Promise<() => Promise<Pick<Measured, 'slots' | 'standstillMs'>>> {
  let last = performance.now(),
    longest = 0,
    count = 0,
    isOver = false;
  const look = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    count += 1;
    if (!isOver) setImmediate(look);
  };
  await new Promise<void>(resolve =>
    setImmediate(() => {
      last = performance.now();
      look();
      resolve();
    }),
  );
  return async () => {
    isOver = true;
    await new Promise(setImmediate);
    return { slots: count, standstillMs: longest };
  };
}

void measure(workerData as Measurement).then(measured => parentPort!.postMessage(measured));
