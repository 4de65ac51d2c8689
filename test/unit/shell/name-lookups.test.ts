import { leadsToPrivate, NameLookups, NoAnswerInTimeError, type Address } from '../../../src/addresses';
import { HttpPush } from '../../../src/push';

const PUBLIC: readonly Address[] = [{ address: '93.184.216.34', family: 4 }];

/** A resolver in which names that begin with `hang` never answer until told to. */
function world(limitMs: number | null) {
  const asked: string[] = [];
  const answers: (() => void)[] = [];
  const names = new NameLookups((host) => {
    asked.push(host);
    return host.startsWith('hang') ? new Promise((resolve) => { answers.push(() => resolve(PUBLIC)); }) : Promise.resolve(PUBLIC);
  }, 2);
  names.limitMs = limitMs;
  return { names, asked, answers };
}

it('asks for two names at once, for each of them once, and for the next when one has answered', async () => {
  const { names, asked, answers } = world(null);
  const calls = ['hang-1.example', 'hang-1.example', 'hang-2.example', 'next.example'].map(names.addressesOf);
  await new Promise(setImmediate);
  expect(asked).toEqual(['hang-1.example', 'hang-2.example']);
  answers[0]!();
  expect(await calls[3]).toEqual(PUBLIC);
  answers[1]!();
  expect(await Promise.all(calls)).toEqual([PUBLIC, PUBLIC, PUBLIC, PUBLIC]);
});

it('gives up on what does not answer, which keeps its place until it does', async () => {
  const { names, asked, answers } = world(5);
  const tries = await Promise.allSettled(['hang-1.example', 'hang-2.example', 'next.example'].map(names.addressesOf));
  for (const each of tries) expect(each).toMatchObject({ status: 'rejected', reason: expect.any(NoAnswerInTimeError) });
  expect(asked).not.toContain('next.example');
  answers[0]!();
  await new Promise(setImmediate);
  names.limitMs = null;
  expect(await names.addressesOf('next.example')).toEqual(PUBLIC);
});

it('a name that is not found in time is not fetched from, and an endpoint behind it counts as unreachable', async () => {
  const { names } = world(5);
  await expect(leadsToPrivate('hang.example', names)).rejects.toBeInstanceOf(NoAnswerInTimeError);
  expect(await leadsToPrivate('found.example', names)).toBe(false);
  for (const toPrivate of [true, false]) {
    const push = new HttpPush({ toPrivate, now: Date.now, resolve: names.addressesOf });
    await expect(push.post('https://hang.example/hook', [], { id: '1', body: '{}' }, AbortSignal.timeout(170_000))).rejects.toMatchObject({ code: 'ENDPOINT_UNREACHABLE' });
    expect(await push.whyRefused('https://hang.example/hook')).toBeNull();
  }
});
