import { createChatwootWorld, ORG, type ChatwootWorld } from '../../../src/providers/chatwoot/testing/chatwoot-world';
import { until } from '../../support/until';
import { Worker } from '../../../src/delivery';

let world: ChatwootWorld;
let isAway = false;
beforeAll(async () => {
  world = await createChatwootWorld({
    fetch: async (input, init) => {
      if (isAway)
        throw new TypeError('fetch failed', {
          cause: Object.assign(new Error('connect ECONNREFUSED 10.0.0.7:3000'), { code: 'ECONNREFUSED' }),
        });
      return fetch(input, init);
    },
  });
});
afterAll(() => world.close());

it('an unreachable Chatwoot is logged with its account, the work, and the next step, by every loop that calls it', async () => {
  const lines: Readonly<Record<string, unknown>>[] = [];
  const note = (fields: Readonly<Record<string, unknown>>, message: string): void => {
    lines.push({ ...fields, message });
  };
  const [account] = await world.stores.setup.listAccounts(ORG);
  const sessionId = await world.handedOver();
  isAway = true;
  await world.user(sessionId, 'hello');
  const worker = new Worker(
    world.deps,
    { leaseMs: 60_000, concurrency: 8, concurrencyPerRemote: 8, pollMs: 10 },
    { info: () => undefined, warn: note, error: note },
  );
  await worker.start();
  const lineOf = (about: object) =>
    lines.find(line => Object.entries(about).every(([key, value]) => line[key] === value));
  try {
    for (const about of [{ work: 'fullScans' }, { work: 'syncs' }, { kind: 'POST_MESSAGE' }]) {
      await until(() => lineOf(about) !== undefined);
      expect(lineOf(about)).toMatchObject({
        accountId: account!.id,
        code: 'PROVIDER_UNAVAILABLE',
        cause: 'ECONNREFUSED',
      });
    }
    expect(lineOf({ work: 'fullScans' })).toMatchObject({ organizationId: ORG, next: expect.any(String) });
    expect(JSON.stringify(lines)).not.toMatch(/10\.0\.0\.7|background/);
  } finally {
    await worker.stop();
  }
});
