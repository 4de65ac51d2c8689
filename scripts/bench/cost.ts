import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Measured, Measurement } from './cost-worker';
import { ms, table } from './figures';

const HEAP_MB = 1_024;

const INPUTS: Readonly<Record<string, Pick<Measurement, 'query' | 'variables'>>> = {
  '63 bytes: agents of accounts of agents of accounts of agents': {
    query: '{supportAccounts{agents{account{agents{account{agents{id}}}}}}}',
    variables: {},
  },
  '20,000 representations under 95 names': {
    query: `query($r:[_Any!]!){${Array.from({ length: 95 }, (_, i) => `a${i}:_entities(representations:$r){...on User{supportAgents{id}}}`).join(' ')}}`,
    variables: { r: Array.from({ length: 20_000 }, (_, i) => ({ __typename: 'User', id: `user-${i}` })) },
  },
  '100 times __schema': {
    query: `{${Array.from({ length: 100 }, (_, i) => `a${i}:__schema{types{name fields{name args{name} type{name}}}}`).join(' ')}}`,
    variables: {},
  },
  'allowed: 42,000 agents': { query: '{supportAccounts{agents{account{agents(first:140){id name}}}}}', variables: {} },
};

const measured = (measurement: Measurement): Promise<string> =>
  new Promise((resolve, reject) => {
    const from = performance.now();
    const worker = new Worker(path.join(__dirname, 'cost-worker.js'), {
      workerData: measurement,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
    });
    worker.once('message', ({ ms: took, slots, standstillMs, bytes, code }: Measured) =>
      resolve(
        `${code ?? `${(bytes / 1e6).toFixed(1)} MB`} after ${ms(took)} and ${slots} iterations of the event loop, the longest of ${ms(standstillMs)}`,
      ),
    );
    worker.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ERR_WORKER_OUT_OF_MEMORY')
        resolve(`dead at a heap of ${HEAP_MB} MB after ${ms(performance.now() - from)}`);
      else reject(error);
    });
  });

/** Measures costly operations with and without bounds, in an organization with 300 agents held in memory. */
export async function measureCost(): Promise<string> {
  const rows: string[][] = [];
  for (const [name, input] of Object.entries(INPUTS))
    rows.push([name, await measured({ ...input, isBounded: false }), await measured({ ...input, isBounded: true })]);
  return table(['operation', 'without bounds', 'with the default bounds'], rows);
}
