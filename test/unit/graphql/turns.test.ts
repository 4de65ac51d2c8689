import { EventLoopSlots } from '../../../src/graphql/operation/event-loop-slots';

const loop = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

describe('time slices of the event loop', () => {
  it('run only as many jobs per slice as fit, and the rest in later slices', async () => {
    const slots = new EventLoopSlots(3);
    const line = slots.forOperation();
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

  it('alternate: a line with little work does not wait for one with much', async () => {
    const slots = new EventLoopSlots(4);
    const [much, little] = [slots.forOperation(), slots.forOperation()];
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

  it('report whether a job must wait, until the event loop has gone round', async () => {
    const slots = new EventLoopSlots(2);
    const line = slots.forOperation();
    line.count();
    expect(line.mustWait).toBe(false);
    line.count();
    expect([line.mustWait, slots.forOperation().mustWait]).toEqual([true, true]);
    await loop();
    expect(line.mustWait).toBe(false);
  });

  it('delay a loader until nothing of its operation waits, so that it gets all keys at once', async () => {
    const slots = new EventLoopSlots(2);
    const line = slots.forOperation();
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
