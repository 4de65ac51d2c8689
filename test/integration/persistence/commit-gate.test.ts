import { buildCommitGate, type CommitGate } from '../../support/commit-gate';
import { createStoreWorld, type StoreWorld } from './store-world';

/* Test files run side by side on one server, each with its own database and its own gate. */

interface Gated {
  readonly world: StoreWorld;
  readonly gate: CommitGate;
}
let gated: readonly [Gated, Gated];
beforeAll(async () => {
  const build = async (): Promise<Gated> => {
    const world = await createStoreWorld();
    return { world, gate: await buildCommitGate(world.database.url, world.pool) };
  };
  gated = [await build(), await build()];
});
afterAll(async () => {
  for (const { world, gate } of gated) {
    await gate.close();
    await world.sql('drop function pass_commit_gate() cascade');
    await world.sql('drop table commit_gate');
    await world.end();
  }
});

/** Stops a new session at its first step. */
async function stopped({ world, gate }: Gated, column: 'contact_id' | 'conversation_id') {
  const { id } = await world.open();
  const reached = await gate.hold(id, 0);
  const update = world.sql(`update session set ${column} = 'x' where id = $1 returning ${column}`, [id]).then(
    rows => rows.length,
    (error: { code?: string }) => error.code,
  );
  return { reached, update };
}

it('names and ends only what waits in its own database', async () => {
  const [first, second] = gated;
  const [contact, conversation] = [await stopped(first, 'contact_id'), await stopped(second, 'conversation_id')];
  expect([await contact.reached(), await conversation.reached()]).toEqual(['contact', 'conversation']);

  await first.gate.release();
  // A terminated backend.
  expect(await contact.update).toBe('57P01');
  expect(await conversation.reached()).toBe('conversation');

  await second.gate.release();
  expect(await conversation.update).toBe('57P01');
});
