import { randomUUID } from 'node:crypto';
import type { FlowDeps } from '../../../src/core/flows/deps';
import type { SupportProvider } from '../../../src/core/ports/provider/support-provider';
import { Worker } from '../../../src/delivery';
import { RetentionJob } from '../../../src/delivery/retention-job';
import { createFlowWorld, ORG, type FlowWorld } from '../../../src/testing/flow-world';
import { agentMessage } from '../../support/push-world';
import { scriptedDefinition } from '../../../src/testing/scripted-provider';
import { quiet } from '../../support/quiet';

let world: FlowWorld;
beforeEach(async () => {
  world = await createFlowWorld();
});
afterEach(async () => {
  jest.restoreAllMocks();
  await world.close();
});

const DAY = 86_400_000;
const keepMs = {
  events: 365 * DAY,
  messages: 365 * DAY,
  deliveries: 365 * DAY,
  idempotencyKeys: 365 * DAY,
  sessions: 365 * DAY,
};
const options = { leaseMs: 60_000, concurrency: 8, concurrencyPerRemote: 8, pollMs: 10 };

/** Its scan of the account never returns by itself. */
function looking(answer: (signal: AbortSignal) => Promise<never>): { deps: FlowDeps; reached: Promise<void> } {
  let reach!: () => void;
  const reached = new Promise<void>(resolve => {
    reach = resolve;
  });
  const instance: SupportProvider = Object.assign(Object.create(world.provider) as SupportProvider, {
    listChangedConversations: (_request: unknown, signal: AbortSignal) => {
      reach();
      return answer(signal);
    },
  });
  return {
    deps: { ...world.deps, providers: new Map([['scripted', { definition: scriptedDefinition(instance), instance }]]) },
    reached,
  };
}

/** One old message with this many files. */
async function oldFiles(count: number): Promise<void> {
  const { id } = await world.open();
  const file = {
    name: 'bill.pdf',
    contentType: 'application/pdf',
    url: 'https://files.example/bill.pdf',
    sizeBytes: 1,
  };
  await world.stores.sessions.transact(ORG, id, tx =>
    tx.insertMessage({ ...agentMessage('see there'), id: randomUUID(), attachments: Array(count).fill(file) }),
  );
  world.time.ms += 400 * DAY;
  await world.pool.query("update maintenance_lease set next_run_at = now() - interval '1 s'");
}
const messages = async () => (await world.pool.query('select from message')).rowCount;
const restMs = async () =>
  Number(
    (
      await world.pool.query<{ ms: string }>(
        'select extract(epoch from next_run_at - now()) * 1000 as ms from maintenance_lease',
      )
    ).rows[0]!.ms,
  );

describe('a worker that stops', () => {
  it('ends a running scan', async () => {
    const { deps, reached } = looking(
      signal =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
        }),
    );
    const worker = new Worker(deps, options, quiet);
    await worker.start();
    await reached;
    await worker.stop();
  });

  it('waits at most its limit for a scan that does not end', async () => {
    const { deps, reached } = looking(() => new Promise(() => undefined));
    const worker = new Worker(deps, options, quiet);
    await worker.start();
    await reached;
    await worker.stop(20);
  });

  it('ends the removal of files after the current file', async () => {
    await oldFiles(3);
    let removed = 0;
    let stopped: Promise<void> | undefined;
    const files = {
      remove: async () => {
        removed += 1;
        stopped ??= worker.stop();
      },
    };
    const worker: Worker = new Worker({ ...world.deps, retention: { keepMs, files } }, options, quiet);
    await worker.start();
    while (stopped === undefined) await new Promise(setImmediate);
    await stopped;
    expect([removed, await messages()]).toEqual([1, 1]);
    // For the next replica.
    expect(await restMs()).toBeLessThanOrEqual(0);
  });
});

describe('a removal that takes longer than its lease', () => {
  /** Each file takes this long, on the clock that measures leases. */
  function slowly(ms: number, during: () => Promise<unknown> = async () => undefined) {
    let aheadMs = 0;
    const now = performance.now.bind(performance);
    jest.spyOn(performance, 'now').mockImplementation(() => now() + aheadMs);
    let removed = 0;
    const files = {
      remove: async () => {
        removed += 1;
        aheadMs += ms;
        await during();
      },
    };
    const job = new RetentionJob(world.deps, { keepMs, files }, quiet, new AbortController().signal);
    return { turn: job, removed: () => removed };
  }

  it('extends its lease before each step that might exceed it', async () => {
    await oldFiles(4);
    const ends: string[] = [];
    const { turn: job, removed } = slowly(40_000, async () => {
      ends.push(
        (await world.pool.query<{ end: string }>('select next_run_at::text as end from maintenance_lease')).rows[0]!
          .end,
      );
      await world.pool.query('select pg_sleep(0.01)');
    });
    await job.tick();
    expect([removed(), await messages()]).toEqual([4, 0]);
    expect(new Set(ends).size).toBe(4);
    expect([...ends].sort()).toEqual(ends);
  });

  it('stops when another replica has taken the lease', async () => {
    await oldFiles(4);
    const { turn: job, removed } = slowly(40_000, () =>
      world.pool.query("update maintenance_lease set next_run_at = now() + interval '30 seconds'"),
    );
    expect(await job.tick()).toBe(false);
    expect([removed(), await messages()]).toEqual([1, 1]);
    expect(await restMs()).toBeGreaterThan(20_000);
  });
});
