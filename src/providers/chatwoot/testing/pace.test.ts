import { randomUUID } from 'node:crypto';
import { createChatwootWorld, type ChatwootWorld } from '../../../../test/support/chatwoot-world';
import { HISTORY_MESSAGES } from '../../../core/flows/transcript';
import { PACE, paced, PostingPace, ServerPace } from '../pace';

describe('requests to one server', () => {
  const at = { ms: 0 };
  beforeEach(() => { at.ms = 1_000_000; });
  const asked: string[] = [];
  const answering = (status: number) => paced((async (url: string) => { asked.push(String(url)); return new Response('Retry later', { status }); }) as typeof fetch, () => at.ms);

  it('stay under its limit of 3,000 in any minute, whoever asks, and use most of it', () => {
    const pace = new ServerPace(() => at.ms);
    const sentAt: number[] = [];
    for (const end = at.ms + 180_000; at.ms < end; at.ms += 5)
      try { sentAt.push(at.ms + pace.take('https://one.example')); } catch { /* given back */ }
    for (const from of [1_000_000, 1_060_000, 1_100_000]) {
      const inMinute = sentAt.filter((one) => one >= from && one < from + 60_000).length;
      expect(inMinute).toBeLessThan(3_000);
      expect(inMinute).toBeGreaterThan(2_000);
    }
  });

  it('that would wait long are given back unsent, and other servers are not held up', async () => {
    const fetch = answering(200);
    const results = await Promise.allSettled(Array.from({ length: 600 }, () => fetch('https://two.example/api')));
    const refused = results.filter((one): one is PromiseRejectedResult => one.status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]!.reason).toMatchObject({ code: 'PROVIDER_UNAVAILABLE', delivered: 'no', retryAfterMs: expect.any(Number) });
    await expect(fetch('https://three.example/api')).resolves.toMatchObject({ status: 200 });
  }, 20_000);

  it('stop after a 429, which names no time, and go on by themselves', async () => {
    const limited = answering(429);
    await limited('https://four.example/api');
    const before = asked.length;
    await expect(limited('https://four.example/api')).rejects.toMatchObject({ delivered: 'no', retryAfterMs: PACE.pauseMs });
    expect(asked.length).toBe(before);
    at.ms += PACE.pauseMs;
    await limited('https://four.example/api');
    expect(asked.length).toBe(before + 1);
  });
});

it('posts into one conversation leave room for its agents, even when two processes spend our share in one minute', () => {
  const pace = new PostingPace(() => 5_000_000);
  for (let n = 0; n < PACE.postsPerMinute; n++) pace.take('a');
  expect(() => pace.take('a')).toThrow(expect.objectContaining({ code: 'PROVIDER_UNAVAILABLE', retryAfterMs: 60_000 }));
  pace.take('b');
  expect(2 * PACE.postsPerMinute).toBeLessThan(200);
});

describe('a long history', () => {
  let world: ChatwootWorld;
  beforeEach(async () => { world = await createChatwootWorld({ policy: { mirroring: 'ON_HANDOFF' } }); });
  afterEach(() => world.close());

  const turns = 130;
  const prepared = async () => {
    const { id } = await world.open(randomUUID());
    for (let n = 0; n < turns; n++) await (n % 2 === 0 ? world.user(id, `user ${n}`) : world.bot(id, `bot ${n} {{x}}`));
    await world.ask(id, { reason: 'too long' });
    return id;
  };
  const transcriptOf = async (sessionId: string) => {
    const notes = (await world.messages(sessionId)).filter((row) => row.private && row.attachments);
    expect(notes).toHaveLength(1);
    return (await fetch(notes[0].attachments[0].data_url)).text();
  };
  const expectWhole = async (id: string) => {
    const rows = await world.messages(id);
    const talk = rows.filter((row) => !row.private).map(({ content }) => content);
    expect(talk).toEqual(Array.from({ length: HISTORY_MESSAGES }, (_, i) => turns - HISTORY_MESSAGES + i).map((n) => (n % 2 === 0 ? `user ${n}` : `bot ${n} {{x}}`)));
    const transcript = await transcriptOf(id);
    for (let n = 0; n < turns; n++) expect(transcript.includes(n % 2 === 0 ? `user ${n}\n` : `bot ${n} {{x}}\n`)).toBe(n < turns - HISTORY_MESSAGES);
    expect(rows.findIndex((row) => row.attachments)).toBe(0);
    expect(rows.at(-1)).toMatchObject({ private: true, content: expect.stringContaining('too long') });
    expect(await world.liveHandoff(id)).toMatchObject({ state: 'QUEUED' });
    expect((await world.conversation(id)).status).toBe('open');
  };

  it('comes as its last messages, and the rest as one readable file before them', async () => {
    const id = await prepared();
    expect(await world.deliverAll()).toEqual([]);
    await expectWhole(id);
  });

  it.each([['the file', 1], ['a message in its middle', 20]])('goes on where it was cut, at %s, and shows nothing twice', async (_where, calls) => {
    const id = await prepared();
    let posts = 0;
    world.double.failNext({ mode: 'slow', latencyMs: 0, times: calls - 1, match: { method: 'POST', path: /\/messages$/ } });
    world.double.failNext({ mode: 'applyThenCut', match: { method: 'POST', path: /\/messages$/ } });
    for (let errors = await world.deliverAll(); errors.length > 0 && posts < 5; errors = await world.deliverAll()) {
      posts += 1;
      world.restart();
    }
    expect(posts).toBe(1);
    await expectWhole(id);
  });
});
