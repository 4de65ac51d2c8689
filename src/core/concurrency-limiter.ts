import { OverloadedError } from './errors';

const RETRY_AFTER_MS = 1_000;

export interface ConcurrencyLimits {
  readonly most: number;
  /** Names the limited things in the plural, for the error. */
  readonly what: string;
  /**
   * The part that one sender may have, so that some remain for others: between 0 and 1, at least one permit. If
   * omitted: all.
   */
  readonly share?: number;
  /** Whether one sender may exceed its share while more than one share is free. If omitted: no. */
  readonly lends?: boolean;
  readonly retryAfterMs?: number;
}

/** One unit of a limit. May be acquired and released repeatedly. */
export interface Permit {
  /** @throws OverloadedError if it is not acquired yet and none is free */
  acquire(): void;
  release(): void;
}

/** Limits concurrent requests, in total and for each sender. */
export class ConcurrencyLimiter {
  private taken = 0;
  private readonly bySender = new Map<string, number>();

  private readonly ofOne: number;

  constructor(private readonly limits: ConcurrencyLimits) {
    this.ofOne = Math.ceil(limits.most * (limits.share ?? 1));
  }

  /** Creates a permit that is not acquired yet. @param sender the sender that it counts for; if omitted, none */
  createPermit(sender?: string): Permit {
    let isTaken = false;
    return {
      acquire: () => {
        if (isTaken) return;
        this.admit(sender);
        isTaken = true;
      },
      release: () => {
        if (isTaken) this.leave(sender);
        isTaken = false;
      },
    };
  }

  /** Acquires a permit. @returns a function that releases it @throws OverloadedError */
  acquire(sender?: string): () => void {
    const place = this.createPermit(sender);
    place.acquire();
    return () => place.release();
  }

  /** Runs `work` with a permit, which `work` may release and acquire again while it waits. @throws OverloadedError */
  async run<T>(work: (place: Permit) => Promise<T>, sender?: string): Promise<T> {
    const place = this.createPermit(sender);
    place.acquire();
    try {
      return await work(place);
    } finally {
      place.release();
    }
  }

  private admit(sender: string | undefined): void {
    const { most, what, lends = false, retryAfterMs = RETRY_AFTER_MS } = this.limits;
    const free = most - this.taken;
    if (free <= 0) throw new OverloadedError(retryAfterMs, `This process has ${most} ${what}, as many as it takes.`);
    const own = sender === undefined ? 0 : (this.bySender.get(sender) ?? 0);
    if (own >= this.ofOne && !(lends && free > this.ofOne))
      throw new OverloadedError(
        retryAfterMs,
        `This process has ${own} ${what} for one sender, as many as it takes; the free ones are kept for others.`,
      );
    this.taken += 1;
    if (sender !== undefined) this.bySender.set(sender, own + 1);
  }

  private leave(sender: string | undefined): void {
    this.taken -= 1;
    if (sender === undefined) return;
    const left = this.bySender.get(sender)! - 1;
    if (left === 0) this.bySender.delete(sender);
    else this.bySender.set(sender, left);
  }
}
