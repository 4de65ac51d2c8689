import { OverloadedError } from '../core/errors';

const RETRY_AFTER_MS = 1_000;

/** A bound on what is under way at once. Whoever finds no place is refused before its body is read. */
export class Places {
  private taken = 0;

  /** @param what in the plural, for the refusal */
  constructor(private readonly most: number, private readonly what: string) {}

  /** @returns what gives the place back; call it once @throws OverloadedError */
  take(): () => void {
    if (this.taken >= this.most) throw new OverloadedError(RETRY_AFTER_MS, `This process has ${this.most} ${this.what}, as many as it takes.`);
    this.taken += 1;
    return () => { this.taken -= 1; };
  }

  /** @throws OverloadedError */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const leave = this.take();
    try {
      return await work();
    } finally {
      leave();
    }
  }
}
