import { OverloadedError } from '../core/errors';

const RETRY_AFTER_MS = 1_000;

/** One unit of a bound. Both methods may be called again, in turns. */
export interface Place {
  /** @throws OverloadedError if it is not taken already and none is free */
  take(): void;
  leave(): void;
}

/** Bounds how much is under way at once, and how much of that for one sender. */
export class Places {
  private taken = 0;
  private readonly bySender = new Map<string, number>();

  /**
   * @param what in the plural, for the refusal
   * @param mostOfOne how many of them one sender may have, so that others find some; if omitted, all
   */
  constructor(private readonly most: number, private readonly what: string, private readonly mostOfOne: number = most) {}

  /** A place that is not taken yet. @param sender who it counts for; if omitted, nobody in particular */
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

  /** @returns what gives the place back; call it once @throws OverloadedError */
  take(sender?: string): () => void {
    const place = this.place(sender);
    place.take();
    return () => place.leave();
  }

  /** Runs work within a place, which the work may leave and take again while it waits for others. @throws OverloadedError */
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
    if (this.taken >= this.most) throw new OverloadedError(RETRY_AFTER_MS, `This process has ${this.most} ${this.what}, as many as it takes.`);
    const own = sender === undefined ? 0 : this.bySender.get(sender) ?? 0;
    if (own >= this.mostOfOne) throw new OverloadedError(RETRY_AFTER_MS, `This process has ${this.mostOfOne} ${this.what} for one sender, as many as it takes.`);
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
