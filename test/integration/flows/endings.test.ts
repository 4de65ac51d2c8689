import { finishEndings } from '../../../src/core/flows/handoff/finish-endings';
import { type UnfinishedEnding } from '../../../src/core/flows/handoff/finish-endings';
import { Worker } from '../../../src/delivery';
import { quiet } from '../../support/quiet';
import { createFlowWorld, scope, type FlowWorld } from '../../../src/testing/flow-world';
import { until } from '../../support/until';

let world: FlowWorld;
beforeEach(async () => {
  world = await createFlowWorld();
});
afterEach(() => world.close());

type Ending = Pick<UnfinishedEnding, 'sessionId' | 'handoffId'>;

/** Two handoffs whose drain is over, the first for longer. */
async function two(): Promise<readonly [Ending, Ending]> {
  const endings: Ending[] = [];
  for (const agentSays of ['one', 'two']) {
    const { id: sessionId } = await world.open();
    const { handoff } = await world.ask(sessionId);
    await world.deliverAll();
    world.provider.set({ agent: 'alice' });
    world.provider.agentSays(agentSays);
    await world.read(sessionId);
    await world.flows.endHandoff(scope, {
      handoffId: handoff.id,
      sessionId: null,
      reason: 'USER_ENDED',
      idempotencyKey: world.nextKey(),
    });
    expect((await world.handoff(handoff.id)).state).toBe('ENDING');
    endings.push({ sessionId, handoffId: handoff.id });
    world.time.ms += 1;
  }
  world.time.ms += 3_600_000;
  return endings as [Ending, Ending];
}
const stateOf = async ({ handoffId }: Ending) => (await world.handoff(handoffId)).state;
const cannotEnd = async ({ handoffId }: Ending) => {
  await world.pool.query(
    "create or replace function fail() returns trigger language plpgsql as $$ begin raise exception 'broken'; end $$",
  );
  await world.pool.query(
    `create trigger failing before update on handoff for each row when (new.id = '${handoffId}' and new.state = 'ENDED') execute function fail()`,
  );
};

describe('endings whose drain is over', () => {
  it('skip a Session that is locked', async () => {
    const [held, free] = await two();
    const client = await world.pool.connect();
    try {
      await client.query('begin');
      await client.query('select from session where id = $1 for update', [held.sessionId]);
      expect(await world.finishEndings()).toBe(1);
      expect([await stateOf(held), await stateOf(free)]).toEqual(['ENDING', 'ENDED']);
    } finally {
      await client.query('rollback');
      client.release();
    }
    expect(await world.finishEndings()).toBe(1);
    expect(await stateOf(held)).toBe('ENDED');
  });

  it('continue past one that fails, which is logged, whatever the batch size', async () => {
    const [failing, free] = await two();
    await cannotEnd(failing);
    const left: UnfinishedEnding[] = [];
    expect(
      await finishEndings(world.deps, 1, ending => {
        left.push(ending);
      }),
    ).toBe(1);
    expect(left).toMatchObject([failing]);
    expect([await stateOf(failing), await stateOf(free)]).toEqual(['ENDING', 'ENDED']);
  });

  it('are logged by the worker when they are skipped, with organization, code and next step, without message text', async () => {
    const [failing, free] = await two();
    await cannotEnd(failing);
    const logged: unknown[] = [];
    const worker = new Worker(
      world.deps,
      { leaseMs: 60_000, concurrency: 4, concurrencyPerRemote: 4, pollMs: 5 },
      {
        ...quiet,
        error: (fields: object) => {
          logged.push(fields);
        },
      },
    );
    await worker.start();
    await until(async () => (await stateOf(free)) === 'ENDED');
    await until(() => logged.length > 0);
    await worker.stop();
    expect(logged[0]).toEqual({
      ...failing,
      organizationId: scope.organizationId,
      work: 'endings',
      code: 'INTERNAL',
      reason: 'error',
      next: 'It is retried automatically. Check that the database responds.',
    });
  });
});
