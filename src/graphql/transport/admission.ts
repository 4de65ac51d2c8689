import { OverloadedError } from '../../core/errors';

const RETRY_AFTER_MS = 500;

/**
 * How many operations this process has under way, over all transports. What is over the mark is refused before its body
 * is read, so that a crowd costs neither memory nor the ones that are inside.
 */
export class Admission {
  private inside = 0;

  constructor(private readonly most: number) {}

  /** @returns what lets it go again; repeatable @throws OverloadedError */
  enter(): () => void {
    if (this.inside >= this.most) throw new OverloadedError(RETRY_AFTER_MS, `This process has ${this.most} operations under way, as many as it takes.`);
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
