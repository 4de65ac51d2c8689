import { OverloadedError } from '../core/errors';

const RETRY_AFTER_MS = 1_000;

/** One permit of a limiter. Both methods are repeatable and may alternate. */
export interface Place {
  /** @throws OverloadedError if it is not acquired yet and none is free */
  take(): void;
  leave(): void;
}

/** Limits concurrent requests, in total and for each sender. */
export class Places {
  private taken = 0;
  private readonly bySender = new Map<string, number>();

  /**
   * @param what plural noun for the error message
   * @param mostOfOne how many permits one sender may have, so that others find some; if omitted, all
   */
  constructor(private readonly most: number, private readonly what: string, private readonly mostOfOne: number = most) {}

  /** Creates a permit that is not acquired yet. @param sender whom it counts for; if omitted, no sender */
  place(sender?: string): Place {
    let isTaken = false;
    return {
      take: () => {
        if (isTaken) return;
        this.enter(sender);
        isTaken = true;
      },
      leave: () => {
        if (isTaken) this.exit(sender);
        isTaken = false;
      },
    };
  }

  /** Acquires a permit. @returns a function that releases it @throws OverloadedError */
  take(sender?: string): () => void {
    const place = this.place(sender);
    place.take();
    return () => place.leave();
  }

  /** Runs `work` with a permit, which `work` may release and acquire again while it waits. @throws OverloadedError */
  async during<T>(work: (place: Place) => Promise<T>, sender?: string): Promise<T> {
    const place = this.place(sender);
    place.take();
    try {
      return await work(place);
    } finally {
      place.leave();
    }
  }

  private enter(sender: string | undefined): void {
    if (this.taken >= this.most) throw new OverloadedError(RETRY_AFTER_MS, `This process has ${this.most} ${this.what}, which is its limit. Try again after retryAfterMs.`);
    const own = sender === undefined ? 0 : this.bySender.get(sender) ?? 0;
    if (own >= this.mostOfOne) throw new OverloadedError(RETRY_AFTER_MS, `This process has ${this.mostOfOne} ${this.what} for one sender, which is its limit. Try again after retryAfterMs.`);
    this.taken += 1;
    if (sender !== undefined) this.bySender.set(sender, own + 1);
  }

  private exit(sender: string | undefined): void {
    this.taken -= 1;
    if (sender === undefined) return;
    const left = this.bySender.get(sender)! - 1;
    if (left === 0) this.bySender.delete(sender);
    else this.bySender.set(sender, left);
  }
}
