import { Worker } from '../../../src/delivery';
import { createChatwootWorld, type ChatwootWorld } from '../../../src/providers/chatwoot/testing/chatwoot-world';
import { quiet } from '../../support/quiet';

const PAGE = '<html><body>504 Gateway Time-out</body></html>';

let world: ChatwootWorld;
afterEach(() => world.close());

/** Times out on the next message that is posted and forwards it only when `land` is called. */
function gateway() {
  let isArmed = false;
  let land: () => Promise<unknown> = async () => {
    throw new Error('Nothing was posted.');
  };
  const through: typeof fetch = async (input, init) => {
    if (!isArmed || init?.method !== 'POST' || !String(input).endsWith('/messages')) return fetch(input, init);
    isArmed = false;
    land = () => fetch(input, { ...init, signal: null }).then(response => response.text());
    return new Response(PAGE, { status: 504, headers: { 'content-type': 'text/html' } });
  };
  return {
    through,
    arm: () => {
      isArmed = true;
    },
    land: () => land(),
  };
}

it('a message that a gateway timed out on is not written again while the remote may still process it', async () => {
  const { through, arm, land } = gateway();
  world = await createChatwootWorld({ fetch: through });
  const id = await world.openMirroredSession();
  await world.user(id, 'once');
  arm();
  let logged: (fields: object) => void = () => undefined;
  const failure = new Promise<object>(resolve => {
    logged = resolve;
  });
  const worker = new Worker(
    world.deps,
    { leaseMs: 60_000, concurrency: 1, concurrencyPerRemote: 1, pollMs: 5 },
    { ...quiet, warn: fields => logged(fields) },
  );
  await worker.start();
  expect(await failure).toMatchObject({ kind: 'POST_MESSAGE', afterMs: expect.any(Number) as number });
  await worker.stop();
  expect(((await failure) as { afterMs: number }).afterMs).toBeGreaterThan(10_000);

  await land();
  await world.pool.query("update lane set next_run_at = now() where destination = 'PROVIDER'");
  expect(await world.deliverAll()).toEqual([]);
  expect((await world.messages(id)).filter(({ content }) => content === 'once')).toHaveLength(1);
});
