import { TYPING_TIMES, TypingRelay } from '../../../src/delivery/typing-relay';

/** The test controls time and the remote's responses. */
class RelayFixture {
  ms = 0;
  private alarms: { at: number; act: () => void }[] = [];
  readonly reported: string[] = [];
  private readonly answers: (() => void)[] = [];
  /** False: remotes hang until `answer`. */
  isQuick = true;
  isBroken = false;
  readonly relay = new TypingRelay(3_000, {
    now: () => this.ms,
    after: (ms, act) => {
      const alarm = { at: this.ms + ms, act };
      this.alarms.push(alarm);
      return () => {
        this.alarms = this.alarms.filter(one => one !== alarm);
      };
    },
  });

  show(sessionId: string, isTyping: boolean, accountId = 'a'): void {
    this.relay.send({
      sessionId,
      accountId,
      isTyping,
      send: now => {
        this.reported.push(`${sessionId} ${now ? 'on' : 'off'}`);
        if (this.isBroken) return Promise.reject(new Error('away'));
        return this.isQuick
          ? Promise.resolve()
          : new Promise(resolve => {
              this.answers.push(resolve);
            });
      },
    });
  }
  async pass(ms: number): Promise<void> {
    this.ms += ms;
    for (const alarm of this.alarms.filter(({ at }) => at <= this.ms)) {
      this.alarms = this.alarms.filter(one => one !== alarm);
      alarm.act();
    }
    await this.turns();
  }
  async answer(): Promise<void> {
    this.answers.shift()?.();
    await this.turns();
  }
  /** Lets running work complete. */
  async turns(): Promise<void> {
    await new Promise(resolve => setImmediate(resolve));
  }
  get waiting(): number {
    return this.alarms.length;
  }
}

let stage: RelayFixture;
beforeEach(() => {
  stage = new RelayFixture();
});

it('reports once that somebody types, repeats it after an interval, and reports the stop', async () => {
  for (let n = 0; n < 20; n++) stage.show('s', true);
  await stage.turns();
  expect(stage.reported).toEqual(['s on']);
  await stage.pass(TYPING_TIMES.repeatMs);
  stage.show('s', true);
  await stage.turns();
  expect(stage.reported).toEqual(['s on', 's on']);
  stage.show('s', false);
  await stage.turns();
  expect(stage.reported).toEqual(['s on', 's on', 's off']);
  await stage.pass(TYPING_TIMES.expiresMs);
  expect([stage.reported.length, stage.waiting]).toEqual([3, 0]);
});

it('reports a stop by itself when no further signal arrives', async () => {
  stage.show('s', true);
  await stage.pass(TYPING_TIMES.expiresMs - 1);
  expect(stage.reported).toEqual(['s on']);
  await stage.pass(1);
  expect(stage.reported).toEqual(['s on', 's off']);
});

it('does not report a stop without a start', async () => {
  stage.show('s', false);
  await stage.pass(TYPING_TIMES.expiresMs);
  expect(stage.reported).toEqual([]);
});

it('runs one call per Session at a time, and keeps only the newest state for the next', async () => {
  stage.isQuick = false;
  stage.show('s', true);
  for (const isTyping of [false, true, false, true, false]) stage.show('s', isTyping);
  expect(stage.reported).toEqual(['s on']);
  await stage.answer();
  expect(stage.reported).toEqual(['s on', 's off']);
  await stage.answer();
  expect(stage.reported).toHaveLength(2);
});

it('limits a remote that hangs to its share of calls, without delaying others', async () => {
  stage.isQuick = false;
  for (let n = 0; n < 10; n++) stage.show(`slow ${n}`, true, 'hangs');
  stage.show('quick', true, 'other');
  expect(stage.reported).toEqual([
    ...Array.from({ length: TYPING_TIMES.atOnce }, (_, n) => `slow ${n} on`),
    'quick on',
  ]);
  await stage.answer();
  expect(stage.reported).toHaveLength(TYPING_TIMES.atOnce + 2);
});

it('sends a remote at most its share per minute, and always the stop', async () => {
  const all = Array.from({ length: TYPING_TIMES.perMinute + 50 }, (_, n) => `s${n}`);
  for (const one of all) {
    stage.show(one, true);
    await stage.turns();
  }
  expect(stage.reported).toHaveLength(TYPING_TIMES.perMinute);
  await stage.pass(TYPING_TIMES.expiresMs);
  for (let n = 0; n < all.length; n++) await stage.turns();
  expect(stage.reported.filter(line => line.endsWith('off'))).toHaveLength(TYPING_TIMES.perMinute);
  await stage.pass(60_000);
  stage.show('later', true);
  await stage.turns();
  expect(stage.reported.at(-1)).toBe('later on');
});

it('remembers a bounded number of Sessions, and none after its end', async () => {
  stage.isBroken = true;
  for (let n = 0; n < TYPING_TIMES.sessions + 100; n++) stage.show(`s${n}`, true, `account ${n}`);
  await stage.turns();
  expect(stage.reported).toHaveLength(TYPING_TIMES.sessions);
  await stage.pass(TYPING_TIMES.expiresMs);
  stage.show('next', true, 'account');
  expect(stage.reported.at(-1)).toBe('next on');
  expect(stage.waiting).toBe(1);
  stage.relay.stop();
  expect(stage.waiting).toBe(0);
});
