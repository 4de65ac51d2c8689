import { NameLookups, type Address } from '../../../src/addresses';
import { fetchOfTenants } from '../../../src/outgoing';

let asked: string[];
let answers: Map<string, () => Promise<readonly Address[]>>;
let called: string[];
let time: { ms: number };
let outgoing: typeof fetch;
const FOUND: readonly Address[] = [{ address: '192.0.2.1', family: 4 }];
const never = () => new Promise<never>(() => undefined);
const settled = () => new Promise((resolve) => setImmediate(resolve));

beforeEach(() => {
  [asked, called, answers, time] = [[], [], new Map(), { ms: 1_000_000 }];
  const names = new NameLookups((host) => { asked.push(host); return (answers.get(host) ?? (async () => FOUND))(); }, 2);
  names.limitMs = 50;
  outgoing = fetchOfTenants((async (input: string) => { called.push(new URL(input).host); return new Response('ok'); }) as never, names, () => time.ms);
});

it('a name that no server answers for holds one thread, however many call it, and nothing is sent', async () => {
  answers.set('dead.example', never);
  const dead = Array.from({ length: 8 }, () => outgoing('http://dead.example/x').then(() => null, (error: Error) => error));
  await outgoing('http://alive.example/x');
  for (const error of await Promise.all(dead)) expect(error).toMatchObject({ message: 'fetch failed', cause: { code: 'EAI_AGAIN' } });
  expect(asked).toEqual(['dead.example', 'alive.example']);
  expect(called).toEqual(['alive.example']);
});

it('one that does not exist fails as fetch says it', async () => {
  answers.set('none.example', () => Promise.reject(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' })));
  await expect(outgoing('http://none.example/x')).rejects.toMatchObject({ message: 'fetch failed', cause: { code: 'ENOTFOUND' } });
  expect(called).toEqual([]);
});

it('one that works is not looked up for each call, and is used while it is looked up again, until that fails', async () => {
  for (let i = 0; i < 3; i++) await outgoing('http://alive.example/x');
  expect(asked).toHaveLength(1);
  let fail = (_error: Error): void => undefined;
  answers.set('alive.example', () => new Promise((_, reject) => { fail = reject; }));
  time.ms += 60_000;
  for (let i = 0; i < 3; i++) await outgoing('http://alive.example/x');
  expect([asked.length, called.length]).toEqual([2, 6]);
  fail(Object.assign(new Error('gone'), { code: 'ENOTFOUND' }));
  await settled();
  answers.set('alive.example', () => Promise.reject(Object.assign(new Error('gone'), { code: 'ENOTFOUND' })));
  await expect(outgoing('http://alive.example/x')).rejects.toThrow('fetch failed');
  expect(called).toHaveLength(6);
});

it('one that was found long ago is found again before it is called', async () => {
  await outgoing('http://alive.example/x');
  answers.set('alive.example', never);
  time.ms += 60 * 60_000;
  await expect(outgoing('http://alive.example/x')).rejects.toMatchObject({ cause: { code: 'EAI_AGAIN' } });
});

it.each(['http://127.0.0.1:1/x', 'http://[::1]:1/x', 'http://localhost:1/x', 'http://chatwoot.localhost/x'])('%s needs no look-up', async (url) => {
  await outgoing(url);
  expect([asked, called]).toEqual([[], [new URL(url).host]]);
});
