import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { errors, exportJWK, generateKeyPair, type FlattenedJWSInput, type JWK } from 'jose';
import { remoteKeySet } from '../../../src/identity/key-set';
import { until } from '../../support/until';

const MINUTE_MS = 60_000;
const TOKEN = {} as FlattenedJWSInput;

let server: Server;
let url: string;
let keys: JWK[];
let fetches: number;
/** `hang`: returns the keys when `release` is called. */
let answer: 'keys' | 'error' | 'hang';
let release: () => void;
let time: number;
let one: JWK;
let two: JWK;

beforeAll(async () => {
  const made = async (kid: string) => ({
    ...(await exportJWK((await generateKeyPair('ES256')).publicKey)),
    kid,
    alg: 'ES256',
  });
  [one, two] = [await made('one'), await made('two')];
  server = createServer((_request, response) => {
    fetches += 1;
    const send = () => {
      response.writeHead(200).end(JSON.stringify({ keys }));
    };
    if (answer === 'error') response.writeHead(503).end();
    else if (answer === 'hang') release = send;
    else send();
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
});
afterAll(
  () =>
    new Promise(resolve => {
      server.close(resolve);
      server.closeAllConnections();
    }),
);
beforeEach(() => {
  keys = [one];
  fetches = 0;
  answer = 'keys';
  time = 0;
});

const start = () => {
  const find = remoteKeySet({ url, limitMs: 280_000, now: () => time });
  return async (kid: string) => {
    await find({ alg: 'ES256', kid }, TOKEN);
    return true;
  };
};
const NO_KEY = expect.any(errors.JWKSNoMatchingKey);
const UNREADABLE = expect.objectContaining({ message: expect.stringContaining('503') });

describe('the keys of a URL', () => {
  it('are fetched once for concurrent callers, and again after 10 minutes', async () => {
    const has = start();
    expect(await Promise.all(Array.from({ length: 20 }, () => has('one')))).not.toContain(false);
    time += 9 * MINUTE_MS;
    expect([await has('one'), fetches]).toEqual([true, 1]);
    time += 2 * MINUTE_MS;
    expect([await has('one'), fetches]).toEqual([true, 2]);
  });

  it('stay in use during an outage, for two hours after they were fetched', async () => {
    const has = start();
    await has('one');
    answer = 'error';
    time += 11 * MINUTE_MS;
    expect(await has('one')).toBe(true);
    time = 119 * MINUTE_MS;
    expect(await has('one')).toBe(true);
    time = 121 * MINUTE_MS;
    await expect(has('one')).rejects.toEqual(UNREADABLE);
    answer = 'keys';
    time += MINUTE_MS;
    expect(await has('one')).toBe(true);
  });

  it('are awaited once in an outage, then fetched in the background while known keys are used', async () => {
    const has = start();
    await has('one');
    answer = 'error';
    time += 11 * MINUTE_MS;
    await has('one');
    answer = 'hang';
    time += MINUTE_MS;
    expect(await has('one')).toBe(true);
    await until(() => fetches === 3);
    keys = [two];
    release();
    await until(() => has('two').catch(() => false));
    await expect(has('one')).rejects.toEqual(NO_KEY);
    expect(fetches).toBe(3);
  });

  it.each([
    ['with no set yet', false],
    ['with an old set', true],
  ])('are fetched less and less often while that fails, however many callers ask: %s', async (_what, isKnown) => {
    const has = start();
    if (isKnown) await has('one');
    answer = 'error';
    time += 121 * MINUTE_MS;
    fetches = 0;
    const seen: number[] = [];
    for (const ms of [0, 900, 1_100, 2_900, 3_100, 7_100, 15_100, 31_100, 60_000, 61_200, 91_300]) {
      const before = time;
      time += ms;
      await Promise.all(Array.from({ length: 10 }, () => expect(has('one')).rejects.toEqual(UNREADABLE)));
      seen.push(fetches);
      time = before;
    }
    expect(seen).toEqual([1, 1, 2, 2, 3, 4, 5, 6, 6, 7, 8]);
  });

  it('are fetched for unknown key ids at most every 30 s', async () => {
    const has = start();
    await has('one');
    for (const at of [0, 10_000, 29_000]) {
      time = at;
      await expect(has('two')).rejects.toEqual(NO_KEY);
    }
    expect(fetches).toBe(1);
    keys = [one, two];
    time = 30_000;
    expect([await Promise.all([has('two'), has('two'), has('two')]), fetches]).toEqual([[true, true, true], 2]);
    await expect(has('three')).rejects.toEqual(NO_KEY);
    expect(fetches).toBe(2);
  });

  it('are fetched for unknown key ids at most as often during an outage, when no key is known', async () => {
    const has = start();
    await has('one');
    answer = 'error';
    for (const at of [30_000, 31_500, 33_500, 40_000, 59_000]) {
      time = at;
      await expect(has('two')).rejects.toEqual(UNREADABLE);
      expect([await has('one'), fetches]).toEqual([true, 2]);
    }
    time = 60_000;
    await expect(has('two')).rejects.toEqual(UNREADABLE);
    expect(fetches).toBe(3);
  });
});
