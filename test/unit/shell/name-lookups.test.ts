import { NameLookups, LookupTimeoutError, type Address } from '../../../src/addresses';
import { createTestFetch, createPush } from '../../../src/testing/tenant-fetch';
import { until } from '../../support/until';

const PUBLIC: readonly Address[] = [{ address: '93.184.216.34', family: 4 }];

/** A resolver in which names that begin with `hang` resolve only when the test says so. */
function world(limitMs: number | null, atOnce = 2, ofNewNames = atOnce) {
  const asked: string[] = [];
  const answers: (() => void)[] = [];
  const names = new NameLookups(
    host => {
      asked.push(host);
      return host.startsWith('hang')
        ? new Promise(resolve => {
            answers.push(() => resolve(PUBLIC));
          })
        : Promise.resolve(PUBLIC);
    },
    atOnce,
    ofNewNames,
  );
  names.limitMs = limitMs;
  return { names, asked, answers };
}

it('resolves two names at a time, each once, and the next when one is done', async () => {
  const { names, asked, answers } = world(null);
  const calls = ['hang-1.example', 'hang-1.example', 'hang-2.example', 'next.example'].map(names.addressesOf);
  await new Promise(setImmediate);
  expect(asked).toEqual(['hang-1.example', 'hang-2.example']);
  answers[0]!();
  expect(await calls[3]).toEqual(PUBLIC);
  answers[1]!();
  expect(await Promise.all(calls)).toEqual([PUBLIC, PUBLIC, PUBLIC, PUBLIC]);
});

it('gives up on a lookup without response, which keeps its slot until it responds', async () => {
  const { names, asked, answers } = world(5);
  const tries = await Promise.allSettled(['hang-1.example', 'hang-2.example', 'next.example'].map(names.addressesOf));
  for (const each of tries) expect(each).toMatchObject({ status: 'rejected', reason: expect.any(LookupTimeoutError) });
  expect(asked).not.toContain('next.example');
  answers[0]!();
  await new Promise(setImmediate);
  names.limitMs = null;
  expect(await names.addressesOf('next.example')).toEqual(PUBLIC);
});

it('counts an endpoint as unreachable whose name is not resolved in time', async () => {
  const { names } = world(5);
  for (const all of [true, false]) {
    const push = createPush(createTestFetch({ all }, names.addressesOf));
    await expect(
      push.post('https://hang.example/hook', [], { id: '1', body: '{}' }, AbortSignal.timeout(170_000)),
    ).rejects.toMatchObject({ code: 'ENDPOINT_UNREACHABLE' });
    expect(await push.addressProblem('https://hang.example/hook')).toBeNull();
  }
});

it('resolves one name of a domain at a time, so that its owner occupies no more slots', async () => {
  const { names, asked, answers } = world(null);
  const calls = [
    'hang-1.evil.example',
    'hang-2.evil.example',
    'hang-3.evil.example',
    'next.example',
    'hang-1.evil.co.uk',
    'shop.co.uk',
  ].map(host => names.addressesOf(host));
  expect(await calls[3]).toEqual(PUBLIC);
  await new Promise(setImmediate);
  expect(asked).toEqual(['hang-1.evil.example', 'next.example', 'hang-1.evil.co.uk']);
  answers[1]!();
  expect(await calls[5]).toEqual(PUBLIC);
  answers[0]!();
  await until(() => asked.includes('hang-2.evil.example'));
  expect(asked).not.toContain('hang-3.evil.example');
  answers[2]!();
  await until(() => asked.includes('hang-3.evil.example'));
  answers[3]!();
  await Promise.all(calls);
});

it('keeps a slot for names that worked, whatever others do', async () => {
  const { names, asked, answers } = world(null, 3, 2);
  await names.addressesOf('good.example');
  const calls = ['hang-1.example', 'hang-2.example', 'new.example', 'good.example'].map(host =>
    names.addressesOf(host),
  );
  expect(await calls[3]).toEqual(PUBLIC);
  expect(asked).toEqual(['good.example', 'hang-1.example', 'hang-2.example', 'good.example']);
  for (const answer of answers) answer();
  expect(await calls[2]).toEqual(PUBLIC);
  await Promise.all(calls);
});

it('shares one result among all callers of a name', async () => {
  const { names, asked, answers } = world(null);
  const calls = ['hang-1.example', 'hang-2.example', ...Array<string>(5).fill('hang-3.example')].map(host =>
    names.addressesOf(host),
  );
  await new Promise(setImmediate);
  answers[0]!();
  await until(() => asked.includes('hang-3.example'));
  answers[2]!();
  expect(await Promise.all(calls.slice(2))).toEqual(Array(5).fill(PUBLIC));
  expect(asked).toHaveLength(3);
  answers[1]!();
  await Promise.all(calls);
});
