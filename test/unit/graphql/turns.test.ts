import { EventLoopSlots } from '../../../src/graphql/operation/event-loop-slots';

const loop = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

describe('turns of the event loop', () => {
  it('let no more go on in one turn than fit, and the rest in later ones', async () => {
    const turns = new EventLoopSlots(3);
    const line = turns.forOperation();
    const perTurn: number[] = [];
    let done = 0;
    for (let i = 0; i < 10; i += 1)
      void line.nextSlot().then(() => {
        line.count();
        done += 1;
      });
    while (done < 10) {
      const before = done;
      await loop();
      if (done > before) perTurn.push(done - before);
    }
    expect(Math.max(...perTurn)).toBeLessThanOrEqual(3);
    expect(perTurn.length).toBeGreaterThanOrEqual(4);
  });

  it('go round: a line with little is not kept waiting by one with much', async () => {
    const turns = new EventLoopSlots(4);
    const [much, little] = [turns.forOperation(), turns.forOperation()];
    const order: string[] = [];
    for (let i = 0; i < 50; i += 1)
      void much.nextSlot().then(() => {
        much.count();
        order.push('much');
      });
    const over = little.nextSlot().then(() => {
      little.count();
      order.push('little');
    });
    await over;
    expect(order.length).toBeLessThanOrEqual(4);
    while (order.length < 51) await loop();
  });

  it('say whether somebody must wait, and no more once the loop has gone round', async () => {
    const turns = new EventLoopSlots(2);
    const line = turns.forOperation();
    line.count();
    expect(line.mustWait).toBe(false);
    line.count();
    expect([line.mustWait, turns.forOperation().mustWait]).toEqual([true, true]);
    await loop();
    expect(line.mustWait).toBe(false);
  });

  it('keep a loader back until nothing of its operation waits, so that it gets all keys at once', async () => {
    const turns = new EventLoopSlots(2);
    const line = turns.forOperation();
    const keys: number[] = [];
    const batches: number[] = [];
    let isAsked = false;
    const load = (key: number): void => {
      keys.push(key);
      if (isAsked) return;
      isAsked = true;
      line.whenIdle(() => batches.push(keys.length));
    };
    for (let i = 0; i < 20; i += 1)
      void line.nextSlot().then(() => {
        line.count();
        load(i);
      });
    while (batches.length === 0) await loop();
    expect(batches).toEqual([20]);
  });
});
