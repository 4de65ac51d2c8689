import { OverloadedError } from '../core/errors';

/** One works; the next one's statements are on their way when its turn comes. */
const INSIDE = 2;
const RETRY_AFTER_MS = 1_000;

interface Crowd {
  inside: number;
  /** In the order in which they came. */
  readonly waiting: Set<() => void>;
}

/**
 * Lets few into one Session at once, before they take connections: all that its row lock could do with more of them is let
 * them wait, and the connections are everybody's. The others wait here, for as long as one waits for a connection.
 */
export class SessionGate {
  private readonly crowds = new Map<string, Crowd>();

  constructor(private readonly waitMs: number) {}

  /** Sessions that somebody is in now. */
  get size(): number { return this.crowds.size; }

  /** @throws OverloadedError when its turn does not come in time */
  async during<T>(sessionId: string, work: () => Promise<T>): Promise<T> {
    const crowd = this.crowdOf(sessionId);
    if (crowd.inside < INSIDE) crowd.inside += 1;
    else await this.turn(crowd);
    try {
      return await work();
    } finally {
      this.leave(sessionId, crowd);
    }
  }

  private crowdOf(sessionId: string): Crowd {
    let crowd = this.crowds.get(sessionId);
    if (crowd === undefined) this.crowds.set(sessionId, crowd = { inside: 0, waiting: new Set() });
    return crowd;
  }

  /** Resolves with the place of one who leaves. */
  private turn({ waiting }: Crowd): Promise<void> {
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        waiting.delete(enter);
        reject(new OverloadedError(RETRY_AFTER_MS, 'Many calls for the same session are under way.'));
      }, this.waitMs);
      waiting.add(enter);
    });
  }

  private leave(sessionId: string, crowd: Crowd): void {
    const [next] = crowd.waiting;
    if (next !== undefined) {
      crowd.waiting.delete(next);
      next();
    } else if ((crowd.inside -= 1) === 0) this.crowds.delete(sessionId);
  }
}
