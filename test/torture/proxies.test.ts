import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SeededRandom } from '../../scripts/torture/seeded-random';
import { FAULTS, FaultPlan, type Odds } from '../../scripts/torture/faults';
import { HttpFaultProxy } from '../../scripts/torture/http-proxy';
import { until } from '../support/until';

const ANSWER = JSON.stringify({ answer: 'a body of some length' });
const reached: string[] = [];
let far: Server;
let proxy: HttpFaultProxy;
beforeAll(async () => {
  far = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .on('end', () => {
        reached.push(`${request.method} ${request.url} ${Buffer.concat(chunks).toString()}`);
        response.writeHead(200, { 'content-type': 'application/json' }).end(ANSWER);
      });
  });
  await new Promise<void>(resolve => far.listen(0, '127.0.0.1', resolve));
});
beforeEach(() => {
  reached.length = 0;
});
afterEach(() => proxy.stop());
afterAll(() => new Promise(resolve => far.close(resolve)));

async function standing(odds: Odds, isRough = true): Promise<FaultPlan> {
  const plan = new FaultPlan('a hop', new SeededRandom(7), odds);
  proxy = await HttpFaultProxy.start({
    plan,
    target: () => `http://127.0.0.1:${(far.address() as AddressInfo).port}`,
    jitterMs: 5,
    lateMs: [60_000, 60_000],
  });
  if (isRough) plan.begin();
  return plan;
}
const call = (limitMs = 10_000) =>
  fetch(`${proxy.url}/path?a=1`, { method: 'POST', body: 'words', signal: AbortSignal.timeout(limitMs) });
const PASSED = 'POST /path?a=1 words';

it.each(['jitter', 'latency'] as const)('passes everything on after a %s', async fault => {
  const plan = await standing({ [fault]: 1 });
  expect(await (await call()).text()).toBe(ANSWER);
  expect(reached).toEqual([PASSED]);
  expect(plan.counts).toEqual({ [fault]: 1 });
});

it('does nothing to what passes while it is calm', async () => {
  const plan = await standing({ cut: 1 }, false);
  expect(await (await call()).text()).toBe(ANSWER);
  expect(plan.counts).toEqual({});
});

it('cuts before the far side has seen anything', async () => {
  await standing({ cut: 1 });
  await expect(call()).rejects.toThrow();
  expect(reached).toEqual([]);
});

it('cuts after the far side has done it', async () => {
  await standing({ appliedThenCut: 1 });
  await expect(call()).rejects.toThrow();
  expect(reached).toEqual([PASSED]);
});

it('says nothing at all on a half-open connection, until it is calm again', async () => {
  const plan = await standing({ halfOpen: 1 });
  await expect(call(300)).rejects.toThrow('timeout');
  const answer = call();
  answer.catch(() => undefined);
  await until(() => plan.counts.halfOpen === 2);
  plan.calm();
  await expect(answer).rejects.toThrow('fetch failed');
});

it('gives up with a page on what takes effect later', async () => {
  const plan = await standing({ lateError: 1 });
  expect((await call()).status).toBe(504);
  expect(reached).toEqual([]);
  plan.calm();
  await until(() => reached.length === 1);
});

it.each([
  ['serverError', 0],
  ['appliedThenError', 1],
] as const)('answers %s with a page and not with the answer', async (fault, times) => {
  await standing({ [fault]: 1 });
  const { status } = await call();
  expect(status).toBeGreaterThanOrEqual(500);
  expect(reached).toHaveLength(times);
});

it('answers 429 as Chatwoot does', async () => {
  await standing({ tooMany: 1 });
  expect((await call()).status).toBe(429);
  expect(reached).toEqual([]);
});

it('answers what cannot be read, although it was done', async () => {
  await standing({ wrongJson: 1 });
  const answer = await call();
  expect(answer.status).toBe(200);
  await expect(answer.json()).rejects.toMatchObject({ name: 'SyntaxError' });
  expect(reached).toEqual([PASSED]);
});

it('does it twice', async () => {
  await standing({ duplicate: 1 });
  expect(await (await call()).text()).toBe(ANSWER);
  expect(reached).toEqual([PASSED, PASSED]);
});

it('takes what it drops', async () => {
  const plan = await standing({ drop: 1 });
  expect((await call()).status).toBe(200);
  plan.calm();
  expect(reached).toEqual([]);
});

it('takes what it holds back, and brings it later', async () => {
  const plan = await standing({ reorder: 1 });
  expect((await call()).status).toBe(200);
  expect(reached).toEqual([]);
  plan.calm();
  await until(() => reached.length === 1);
});

it('is as if nobody listened during an outage', async () => {
  const plan = await standing({});
  proxy.setAway(true);
  await expect(call()).rejects.toThrow();
  proxy.setAway(false);
  expect((await call()).status).toBe(200);
  expect(plan.counts).toEqual({ outage: 1 });
});

it('decides the same for the same seed, and each stream for itself', async () => {
  await standing({});
  const decisions = (seed: number, stream: string) => {
    const plan = new FaultPlan(
      'a hop',
      new SeededRandom(seed).stream(stream),
      Object.fromEntries(FAULTS.filter(fault => fault !== 'outage').map(fault => [fault, 0.08])),
    );
    plan.begin();
    return Array.from({ length: 50 }, () => plan.draw());
  };
  expect(decisions(1, 'a')).toEqual(decisions(1, 'a'));
  expect(decisions(1, 'a')).not.toEqual(decisions(2, 'a'));
  expect(decisions(1, 'a')).not.toEqual(decisions(1, 'b'));
});
