import { TYPING_TIMES, TypingRelay } from '../../../src/delivery/typing-relay';

/** Time and the far side's answers in the test's hand. */
class Stage {
  ms = 0;
  private alarms: { at: number; act: () => void }[] = [];
  readonly told: string[] = [];
  private readonly answers: (() => void)[] = [];
  /** False: far sides hang until `answer`. */
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
        this.told.push(`${sessionId} ${now ? 'on' : 'off'}`);
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
  /** Lets what is under way come to its end. */
  async turns(): Promise<void> {
    await new Promise(resolve => setImmediate(resolve));
  }
  get waiting(): number {
    return this.alarms.length;
  }
}

let stage: Stage;
beforeEach(() => {
  stage = new Stage();
});

it('tells that somebody types once, again after a while, and that they stopped', async () => {
  for (let n = 0; n < 20; n++) stage.show('s', true);
  await stage.turns();
  expect(stage.told).toEqual(['s on']);
  await stage.pass(TYPING_TIMES.repeatMs);
  stage.show('s', true);
  await stage.turns();
  expect(stage.told).toEqual(['s on', 's on']);
  stage.show('s', false);
  await stage.turns();
  expect(stage.told).toEqual(['s on', 's on', 's off']);
  await stage.pass(TYPING_TIMES.expiresMs);
  expect([stage.told.length, stage.waiting]).toEqual([3, 0]);
});

it('tells by itself that somebody stopped of whom nothing more is heard', async () => {
  stage.show('s', true);
  await stage.pass(TYPING_TIMES.expiresMs - 1);
  expect(stage.told).toEqual(['s on']);
  await stage.pass(1);
  expect(stage.told).toEqual(['s on', 's off']);
});

it('does not tell that somebody stopped who was never said to type', async () => {
  stage.show('s', false);
  await stage.pass(TYPING_TIMES.expiresMs);
  expect(stage.told).toEqual([]);
});

it('keeps one call of a Session under way, and only the newest word for after it', async () => {
  stage.isQuick = false;
  stage.show('s', true);
  for (const isTyping of [false, true, false, true, false]) stage.show('s', isTyping);
  expect(stage.told).toEqual(['s on']);
  await stage.answer();
  expect(stage.told).toEqual(['s on', 's off']);
  await stage.answer();
  expect(stage.told).toHaveLength(2);
});

it('lets a far side that hangs hold up neither others nor more than its share of calls', async () => {
  stage.isQuick = false;
  for (let n = 0; n < 10; n++) stage.show(`slow ${n}`, true, 'hangs');
  stage.show('quick', true, 'other');
  expect(stage.told).toEqual([...Array.from({ length: TYPING_TIMES.atOnce }, (_, n) => `slow ${n} on`), 'quick on']);
  await stage.answer();
  expect(stage.told).toHaveLength(TYPING_TIMES.atOnce + 2);
});

it('tells a far side no more than its share in a minute, and always that they stopped', async () => {
  const all = Array.from({ length: TYPING_TIMES.perMinute + 50 }, (_, n) => `s${n}`);
  for (const one of all) {
    stage.show(one, true);
    await stage.turns();
  }
  expect(stage.told).toHaveLength(TYPING_TIMES.perMinute);
  await stage.pass(TYPING_TIMES.expiresMs);
  for (let n = 0; n < all.length; n++) await stage.turns();
  expect(stage.told.filter(line => line.endsWith('off'))).toHaveLength(TYPING_TIMES.perMinute);
  await stage.pass(60_000);
  stage.show('later', true);
  await stage.turns();
  expect(stage.told.at(-1)).toBe('later on');
});

it('remembers a bounded number of Sessions, and none that is over', async () => {
  stage.isBroken = true;
  for (let n = 0; n < TYPING_TIMES.sessions + 100; n++) stage.show(`s${n}`, true, `account ${n}`);
  await stage.turns();
  expect(stage.told).toHaveLength(TYPING_TIMES.sessions);
  await stage.pass(TYPING_TIMES.expiresMs);
  stage.show('next', true, 'account');
  expect(stage.told.at(-1)).toBe('next on');
  expect(stage.waiting).toBe(1);
  stage.relay.stop();
  expect(stage.waiting).toBe(0);
});
