import { OverloadedError } from '../../core/errors';

const RETRY_AFTER_MS = 500;

/**
 * Limits the concurrent operations of this process, over all transports. Operations beyond the limit are refused before
 * their bodies are read, so that they cost no memory and do not slow the running ones.
 */
export class Admission {
  private inside = 0;

  constructor(private readonly most: number) {}

  /** Acquires a permit. @returns a repeatable function that releases it @throws OverloadedError */
  enter(): () => void {
    if (this.inside >= this.most) throw new OverloadedError(RETRY_AFTER_MS, `This process has ${this.most} operations in progress, which is its limit. Repeat the operation after retryAfterMs.`);
    this.inside += 1;
    let isInside = true;
    return () => {
      if (isInside) this.inside -= 1;
      isInside = false;
    };
  }

  async during<T>(work: () => Promise<T>): Promise<T> {
    const leave = this.enter();
    try {
      return await work();
    } finally {
      leave();
    }
  }
}
