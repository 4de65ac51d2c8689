/** Runs at most `max` operations at the same time. The others wait in the order of their calls. */
export class ConcurrencyLimiter {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly max: number) {}

  /** Runs `work` when a permit is free. Rejects with what `work` throws; the permit is released nevertheless. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.running < this.max) this.running += 1;
    // The finished operation passes its permit on directly, so a call that arrives in between cannot take it.
    else
      await new Promise<void>(resolve => {
        this.waiting.push(resolve);
      });
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.running -= 1;
    }
  }
}
