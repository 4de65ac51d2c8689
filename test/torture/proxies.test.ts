import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SeededRandom } from '../../scripts/torture/seeded-random';
import { FAULTS, FaultPlan, type Odds } from '../../scripts/torture/faults';
import { HttpFaultProxy } from '../../scripts/torture/http-proxy';
import { until } from '../support/until';

const ANSWER = JSON.stringify({ answer: 'a body of some length' });
const reached: string[] = [];
let remote: Server;
let proxy: HttpFaultProxy;
beforeAll(async () => {
  remote = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .on('end', () => {
        reached.push(`${request.method} ${request.url} ${Buffer.concat(chunks).toString()}`);
        response.writeHead(200, { 'content-type': 'application/json' }).end(ANSWER);
      });
  });
  await new Promise<void>(resolve => remote.listen(0, '127.0.0.1', resolve));
});
beforeEach(() => {
  reached.length = 0;
});
afterEach(() => proxy.stop());
afterAll(() => new Promise(resolve => remote.close(resolve)));

async function startProxy(odds: Odds, isRough = true): Promise<FaultPlan> {
  const plan = new FaultPlan('a hop', new SeededRandom(7), odds);
  proxy = await HttpFaultProxy.start({
    plan,
    target: () => `http://127.0.0.1:${(remote.address() as AddressInfo).port}`,
    jitterMs: 5,
    lateMs: [60_000, 60_000],
  });
  if (isRough) plan.begin();
  return plan;
}
const call = (limitMs = 10_000) =>
  fetch(`${proxy.url}/path?a=1`, { method: 'POST', body: 'words', signal: AbortSignal.timeout(limitMs) });
const PASSED = 'POST /path?a=1 words';

it.each(['jitter', 'latency'] as const)('the proxy passes everything on after a %s', async fault => {
  const plan = await startProxy({ [fault]: 1 });
  expect(await (await call()).text()).toBe(ANSWER);
  expect(reached).toEqual([PASSED]);
  expect(plan.counts).toEqual({ [fault]: 1 });
});

it('the proxy changes nothing while faults are off', async () => {
  const plan = await startProxy({ cut: 1 }, false);
  expect(await (await call()).text()).toBe(ANSWER);
  expect(plan.counts).toEqual({});
});

it('cut closes the connection before the remote has the request', async () => {
  await startProxy({ cut: 1 });
  await expect(call()).rejects.toThrow();
  expect(reached).toEqual([]);
});

it('appliedThenCut closes the connection after the remote has processed the request', async () => {
  await startProxy({ appliedThenCut: 1 });
  await expect(call()).rejects.toThrow();
  expect(reached).toEqual([PASSED]);
});

it('halfOpen keeps the connection silent until faults are off', async () => {
  const plan = await startProxy({ halfOpen: 1 });
  await expect(call(300)).rejects.toThrow('timeout');
  const answer = call();
  answer.catch(() => undefined);
  await until(() => plan.counts.halfOpen === 2);
  plan.calm();
  await expect(answer).rejects.toThrow('fetch failed');
});

it('lateError responds with a gateway page before the request takes effect', async () => {
  const plan = await startProxy({ lateError: 1 });
  expect((await call()).status).toBe(504);
  expect(reached).toEqual([]);
  plan.calm();
  await until(() => reached.length === 1);
});

it.each([
  ['serverError', 0],
  ['appliedThenError', 1],
] as const)('%s responds with a page in place of the response', async (fault, times) => {
  await startProxy({ [fault]: 1 });
  const { status } = await call();
  expect(status).toBeGreaterThanOrEqual(500);
  expect(reached).toHaveLength(times);
});

it('tooMany responds 429 as Chatwoot does', async () => {
  await startProxy({ tooMany: 1 });
  expect((await call()).status).toBe(429);
  expect(reached).toEqual([]);
});

it('wrongJson responds with unreadable JSON after the request took effect', async () => {
  await startProxy({ wrongJson: 1 });
  const answer = await call();
  expect(answer.status).toBe(200);
  await expect(answer.json()).rejects.toMatchObject({ name: 'SyntaxError' });
  expect(reached).toEqual([PASSED]);
});

it('duplicate sends the request twice', async () => {
  await startProxy({ duplicate: 1 });
  expect(await (await call()).text()).toBe(ANSWER);
  expect(reached).toEqual([PASSED, PASSED]);
});

it('drop acknowledges a webhook and does not deliver it', async () => {
  const plan = await startProxy({ drop: 1 });
  expect((await call()).status).toBe(200);
  plan.calm();
  expect(reached).toEqual([]);
});

it('reorder acknowledges a webhook and delivers it later', async () => {
  const plan = await startProxy({ reorder: 1 });
  expect((await call()).status).toBe(200);
  expect(reached).toEqual([]);
  plan.calm();
  await until(() => reached.length === 1);
});

it('an outage closes connections as if nothing listened', async () => {
  const plan = await startProxy({});
  proxy.setAway(true);
  await expect(call()).rejects.toThrow();
  proxy.setAway(false);
  expect((await call()).status).toBe(200);
  expect(plan.counts).toEqual({ outage: 1 });
});

it('the same seed draws the same faults, and each stream its own', async () => {
  await startProxy({});
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
