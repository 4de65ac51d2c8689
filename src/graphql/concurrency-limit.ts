/** Runs at most `most` pieces of work at a time. The others wait for their turn, in the order in which they came. */
export class ConcurrencyLimit {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly most: number) {}

  /** Rejects with what `work` throws; the next one starts all the same. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.running < this.most) this.running += 1;
    // The one that ends hands its turn on, so nobody who comes in between can take it.
    else await new Promise<void>((resolve) => { this.waiting.push(resolve); });
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.running -= 1;
    }
  }
}
