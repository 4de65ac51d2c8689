import type { PlainRequest } from '../../../src/server/plain-request';
import { WebhookPlaces } from '../../../src/server/webhook-limiter';
import { gate } from '../persistence/store-world';
import { until } from '../../support/until';
import { startServer, type RunningServer } from './start-server';

let running: RunningServer;
afterEach(() => running.server.stop());

/** Calls that keep running until the test opens the gate, and how many are inside. */
function waiting() {
  const free = gate();
  const calls = {
    inside: 0,
    open: free.open,
    hold: async () => {
      calls.inside += 1;
      await free.opened;
    },
  };
  return calls;
}

describe('slots of webhooks', () => {
  const send = (path: string) => fetch(`${running.url}/webhooks/${path}`, { method: 'POST', body: '{}' });

  it('are available to one account except for a share', async () => {
    const calls = waiting();
    running = await startServer({
      maxWebhooks: 8,
      webhooks: async ({ path, readBody }) => {
        await readBody(100, path.split('/')[2]!);
        if (path.endsWith('/wait')) await calls.hold();
        return { status: 200 };
      },
    });
    expect((await send('a/secret')).status).toBe(200);
    const held = Array.from({ length: 6 }, () => send('a/secret/wait'));
    await until(() => calls.inside === 6);
    expect([(await send('a/secret')).status, (await send('b/secret')).status]).toEqual([503, 200]);
    calls.open();
    expect(new Set((await Promise.all(held)).map(({ status }) => status))).toEqual(new Set([200]));
    expect((await send('a/secret')).status).toBe(200);
  });

  it('stay verified, however many addresses another account invents', async () => {
    const places = new WebhookPlaces(4, 1 / 4);
    const isUnknownHeld = gate();
    const take = (path: string, proof?: Promise<void>): Promise<void> =>
      places.during(
        { path, readBody: () => Promise.resolve(Buffer.alloc(0)) } as unknown as PlainRequest,
        async ({ readBody }) => {
          await proof;
          await readBody(100, path.split('/')[2]!);
        },
      );
    await take('/webhooks/a/secret');
    for (let made = 0; made < 10_000; made++) await take(`/webhooks/b/secret/${made}`);
    const held = take('/webhooks/unknown/x', isUnknownHeld.opened);
    await take('/webhooks/a/secret');
    await expect(take('/webhooks/c/secret')).rejects.toMatchObject({ code: 'OVERLOADED' });
    isUnknownHeld.open();
    await held;
  });

  it('are separate for addresses that are not verified yet, and leave the others theirs', async () => {
    const calls = waiting();
    running = await startServer({
      maxWebhooks: 8,
      webhooks: async ({ path, readBody }) => {
        if (path.includes('/unknown')) {
          await calls.hold();
          return { status: 404 };
        }
        await readBody(100, path.split('/')[2]!);
        return { status: 200 };
      },
    });
    expect((await send('a/secret')).status).toBe(200);
    const held = [send('unknown-1/x'), send('unknown-2/x')];
    await until(() => calls.inside === 2);
    expect([(await send('unknown-3/x')).status, (await send('a/secret')).status]).toEqual([503, 200]);
    calls.open();
    expect((await Promise.all(held)).map(({ status }) => status)).toEqual([404, 404]);
    expect((await send('b/secret')).status).toBe(200);
  });
});
