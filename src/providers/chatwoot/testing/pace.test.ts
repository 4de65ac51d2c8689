import { randomUUID } from 'node:crypto';
import { createChatwootWorld, type ChatwootWorld } from './chatwoot-world';
import { HISTORY_MESSAGES } from '../../../core/flows/to-provider/transcript';
import { RATE_LIMITS, createRateLimitedFetch, PostRateLimiter, ServerRateLimiter } from '../rate-limits';

describe('requests to one server', () => {
  const at = { ms: 0 };
  beforeEach(() => {
    at.ms = 1_000_000;
  });
  const asked: string[] = [];
  const answering = (status: number) =>
    createRateLimitedFetch(
      (async (url: string) => {
        asked.push(String(url));
        return new Response('Retry later', { status });
      }) as typeof fetch,
      () => at.ms,
      () => 1,
    );

  /**
   * Lets each account make a request every `everyMs`, from second `fromS` on. Records when its requests were sent, and
   * how many it made.
   */
  function play(
    seconds: number,
    accounts: Readonly<Record<string, { readonly everyMs: number; readonly fromS: number }>>,
    replicas = 1,
  ) {
    const pace = new ServerRateLimiter(
      () => at.ms,
      () => replicas,
    );
    const start = at.ms;
    const sent = new Map(Object.keys(accounts).map(account => [account, { at: [] as number[], asked: 0 }]));
    for (; at.ms < start + seconds * 1000; at.ms += 1)
      for (const [account, { everyMs, fromS }] of Object.entries(accounts)) {
        const since = at.ms - start - fromS * 1000;
        if (since < 0 || since % everyMs !== 0) continue;
        const one = sent.get(account)!;
        one.asked += 1;
        try {
          one.at.push(at.ms - start + pace.reserve('https://one.example', account));
        } catch {
          /* refused */
        }
      }
    /** Counts the requests of one account, or of all, between two seconds. */
    const count = (from: number, to: number, account?: string) =>
      [...sent]
        .filter(([one]) => account === undefined || one === account)
        .flatMap(([, one]) => one.at)
        .filter(ms => ms >= from * 1000 && ms < to * 1000).length;
    return { count, sent };
  }
  const GREEDY = { everyMs: 5, fromS: 0 };

  it('stay under its limit of 3,000 in any minute, whoever asks, and use most of it', () => {
    const { count } = play(180, { a: GREEDY, b: GREEDY, c: GREEDY });
    for (const from of [0, 30, 60, 100]) {
      expect(count(from, from + 60)).toBeLessThan(3_000);
      expect(count(from, from + 60)).toBeGreaterThan(2_000);
    }
  });

  it('stay under it also when three processes ask', () => {
    const { count } = play(180, { a: GREEDY, b: GREEDY, c: GREEDY }, 3);
    for (const from of [0, 30, 60, 100]) {
      expect(3 * count(from, from + 60)).toBeLessThan(3_000);
      expect(3 * count(from, from + 60)).toBeGreaterThan(2_000);
    }
  });

  it('of one account alone are never all that we may ask, and one that comes is served at once', () => {
    const { count, sent } = play(180, { greedy: GREEDY, late: { everyMs: 200, fromS: 100 } });
    expect(count(20, 80)).toBeLessThanOrEqual(RATE_LIMITS.requestsPerMinute * RATE_LIMITS.mostOfOneAccount + 60);
    expect(count(20, 80)).toBeGreaterThan(RATE_LIMITS.requestsPerMinute * RATE_LIMITS.mostOfOneAccount * 0.9);
    expect(count(100, 180, 'late')).toBe(sent.get('late')!.asked);
    for (const from of [60, 90, 110]) expect(count(from, from + 60)).toBeLessThan(3_000);
  });

  it('are shared in equal parts among those who want more, and whoever wants less gets it', () => {
    const { count, sent } = play(240, {
      a: GREEDY,
      b: GREEDY,
      c: GREEDY,
      modest: { everyMs: 500, fromS: 0 },
      late: { everyMs: 200, fromS: 100 },
    });
    const parts = ['a', 'b', 'c'].map(account => count(130, 190, account));
    expect(Math.max(...parts) - Math.min(...parts)).toBeLessThan(20);
    expect(count(0, 240, 'modest')).toBeGreaterThan(sent.get('modest')!.asked * 0.95);
    expect(count(100, 240, 'late')).toBeGreaterThan(sent.get('late')!.asked * 0.95);
    for (const from of [0, 90, 110, 180]) expect(count(from, from + 60)).toBeLessThan(3_000);
  });

  it('in the background leave half of the burst to waiting callers, however many there are', () => {
    const pace = new ServerRateLimiter(
      () => at.ms,
      () => 1,
    );
    const server = 'https://one.example';
    const waits: number[] = [];
    for (const end = at.ms + 120_000; at.ms < end; at.ms += 5) {
      try {
        pace.reserve(server, 'a', true);
      } catch {
        /* refused */
      }
      // A burst of ten requests that callers wait for, every second.
      if (at.ms % 1_000 === 0) for (let n = 0; n < 10; n++) waits.push(pace.reserve(server, 'a'));
    }
    expect(Math.max(...waits)).toBe(0);
  });

  it('in the background get the whole remainder', () => {
    const pace = new ServerRateLimiter(
      () => at.ms,
      () => 1,
    );
    let taken = 0;
    for (const end = at.ms + 60_000; at.ms < end; at.ms += 5) {
      try {
        pace.reserve('https://one.example', 'a', true);
        taken++;
      } catch {
        /* refused */
      }
    }
    expect(taken).toBeGreaterThan(RATE_LIMITS.requestsPerMinute * RATE_LIMITS.mostOfOneAccount * 0.9);
  });

  it('of an account that stops belong to the others after a minute', () => {
    const pace = new ServerRateLimiter(
      () => at.ms,
      () => 1,
    );
    pace.reserve('https://one.example', 'gone');
    pace.reserve('https://one.example', 'a');
    at.ms += 60_000;
    let taken = 0;
    try {
      for (; taken < 1_000; taken++) pace.reserve('https://one.example', 'a');
    } catch {
      /* used up */
    }
    expect(taken).toBeGreaterThanOrEqual(RATE_LIMITS.burst * RATE_LIMITS.mostOfOneAccount);
  });

  it('that would wait long are refused unsent, and other servers are not delayed', async () => {
    const fetch = answering(200)('account');
    const results = await Promise.allSettled(Array.from({ length: 600 }, () => fetch('https://two.example/api')));
    const refused = results.filter((one): one is PromiseRejectedResult => one.status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]!.reason).toMatchObject({
      code: 'PROVIDER_UNAVAILABLE',
      delivered: 'no',
      isOwnRateLimit: true,
      retryAfterMs: expect.any(Number),
    });
    await expect(fetch('https://three.example/api')).resolves.toMatchObject({ status: 200 });
  });

  it('stop after a 429, which names no time, for every account, and continue automatically', async () => {
    const limited = answering(429);
    await limited('one')('https://four.example/api');
    const before = asked.length;
    for (const account of ['one', 'other'])
      await expect(limited(account)('https://four.example/api')).rejects.toMatchObject({
        delivered: 'no',
        retryAfterMs: RATE_LIMITS.pauseMs,
      });
    expect(asked.length).toBe(before);
    at.ms += RATE_LIMITS.pauseMs;
    await limited('other')('https://four.example/api');
    expect(asked.length).toBe(before + 1);
  });
});

describe('posts into one conversation', () => {
  const at = { ms: 5_000_000 };
  const process = () => new PostRateLimiter(() => at.ms);
  beforeEach(() => {
    at.ms = 5_000_000;
  });

  it('leave room for its agents, even when two processes spend our share in one minute', () => {
    const pace = process();
    for (let n = 0; n < RATE_LIMITS.postsPerMinute; n++) pace.record('a');
    expect(() => pace.record('a')).toThrow(
      expect.objectContaining({ code: 'PROVIDER_UNAVAILABLE', isOwnRateLimit: true, retryAfterMs: 60_000 }),
    );
    pace.record('b');
    expect(2 * RATE_LIMITS.postsPerMinute).toBeLessThan(200);
  });

  it('of all processes together stay within our share, as the Session remembers them', () => {
    const [one, other] = [process(), process()];
    const stored: number[] = [];
    const posts = (pace: PostRateLimiter, count: number) => {
      // As in one delivery: the session is read once, and each post is recorded afterwards.
      const known = { at: [...stored], asOf: at.ms };
      for (let n = 0; n < count; n++) {
        at.ms += 10;
        pace.record('a', known);
        stored.push(at.ms + 1);
      }
      at.ms += 10;
    };
    posts(one, 50);
    posts(other, 30);
    expect(one.capacity('a', { at: stored, asOf: at.ms })).toBe(RATE_LIMITS.postsPerMinute - 80);
    expect(() => posts(one, 11)).toThrow(expect.objectContaining({ code: 'PROVIDER_UNAVAILABLE' }));
    // A newly started process knows as much.
    expect(() => posts(process(), 1)).toThrow(expect.objectContaining({ code: 'PROVIDER_UNAVAILABLE' }));
    at.ms += 60_000;
    posts(process(), RATE_LIMITS.postsPerMinute);
  });

  it('whose answers were cut, and so are stored nowhere, count where they were made', () => {
    const pace = process();
    for (let n = 0; n < RATE_LIMITS.postsPerMinute; n++) pace.record('a', { at: [], asOf: at.ms - 1 });
    at.ms += 10;
    expect(() => pace.record('a', { at: [], asOf: at.ms })).toThrow(
      expect.objectContaining({ code: 'PROVIDER_UNAVAILABLE' }),
    );
  });
});

describe('a long history', () => {
  let world: ChatwootWorld;
  beforeEach(async () => {
    world = await createChatwootWorld({ policy: { mirroring: 'ON_HANDOFF' } });
  });
  afterEach(() => world.close());

  const rounds = 130;
  const prepared = async () => {
    const { id } = await world.open(randomUUID());
    for (let n = 0; n < rounds; n++)
      await (n % 2 === 0 ? world.user(id, `user ${n}`) : world.bot(id, `bot ${n} {{x}}`));
    await world.ask(id, { reason: 'too long' });
    return id;
  };
  const transcriptOf = async (sessionId: string) => {
    const notes = (await world.messages(sessionId)).filter(row => row.private && row.attachments);
    expect(notes).toHaveLength(1);
    return (await fetch(notes[0].attachments[0].data_url)).text();
  };
  const expectWhole = async (id: string) => {
    const rows = await world.messages(id);
    const talk = rows.filter(row => !row.private).map(({ content }) => content);
    expect(talk).toEqual(
      Array.from({ length: HISTORY_MESSAGES }, (_, i) => rounds - HISTORY_MESSAGES + i).map(n =>
        n % 2 === 0 ? `user ${n}` : `bot ${n} {{x}}`,
      ),
    );
    const transcript = await transcriptOf(id);
    for (let n = 0; n < rounds; n++)
      expect(transcript.includes(n % 2 === 0 ? `user ${n}\n` : `bot ${n} {{x}}\n`)).toBe(n < rounds - HISTORY_MESSAGES);
    expect(rows.findIndex(row => row.attachments)).toBe(0);
    expect(rows.at(-1)).toMatchObject({ private: true, content: expect.stringContaining('too long') });
    expect(await world.liveHandoff(id)).toMatchObject({ state: 'QUEUED' });
    expect((await world.conversation(id)).status).toBe('open');
  };

  it('comes as its last messages, and the rest as one readable file before them', async () => {
    const id = await prepared();
    expect(await world.deliverAll()).toEqual([]);
    await expectWhole(id);
  });

  it.each([
    ['the file', 1],
    ['a message in its middle', 20],
  ])('continues where it was cut, at %s, and posts nothing twice', async (_where, calls) => {
    const id = await prepared();
    let posts = 0;
    world.double.failNext({
      mode: 'slow',
      latencyMs: 0,
      times: calls - 1,
      match: { method: 'POST', path: /\/messages$/ },
    });
    world.double.failNext({ mode: 'applyThenCut', match: { method: 'POST', path: /\/messages$/ } });
    for (let errors = await world.deliverAll(); errors.length > 0 && posts < 5; errors = await world.deliverAll()) {
      posts += 1;
      world.restart();
    }
    expect(posts).toBe(1);
    await expectWhole(id);
  });
});

it('our limit of posts per minute is not reset by another process, and the rest is posted a minute later', async () => {
  const world = await createChatwootWorld();
  try {
    const { id } = await world.open(randomUUID());
    const lines = Array.from({ length: 120 }, (_, n) => `line ${n}`);
    for (const [n, line] of lines.entries()) {
      await world.user(id, line);
      if (n % 30 !== 29) continue;
      world.restart();
      const errors = await world.deliverAll();
      expect(errors).toEqual(n < RATE_LIMITS.postsPerMinute ? [] : ['PROVIDER_UNAVAILABLE']);
    }
    const shown = async () => (await world.messages(id)).map(({ content }) => content);
    expect(await shown()).toEqual(lines.slice(0, RATE_LIMITS.postsPerMinute));
    world.time.aheadMs += 61_000;
    world.restart();
    expect(await world.deliverAll()).toEqual([]);
    expect(await shown()).toEqual(lines);
    expect((await world.session(id)).recentPosts).toHaveLength(lines.length - RATE_LIMITS.postsPerMinute);
  } finally {
    await world.close();
  }
});
