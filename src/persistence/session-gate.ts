import { OverloadedError } from '../core/errors';

/** What one process lets into its Sessions. */
export interface SessionGateLimits {
  /** How long a call waits for its turn, in milliseconds. */
  readonly waitMs: number;
  /** Calls of one Session that wait. Above any honest burst; one more is a flood. */
  readonly mostWaiting: number;
  /** Calls of all Sessions that wait: what they hold in memory is bounded by it. */
  readonly mostWaitingInAll: number;
}

export const SESSION_GATE = { mostWaiting: 500, mostWaitingInAll: 5_000 } as const;

/** One has the Session's row; the next one's statements are on their way to it. */
const INSIDE = 2;
const RETRY_AFTER_MS = 1_000;

interface Crowd {
  inside: number;
  /** Whether one of those inside does not have the Session's row yet: the next one would race it for that. */
  isEntering: boolean;
  /** In the order in which they came. */
  readonly waiting: Set<() => void>;
}

/**
 * Lets few calls into one Session at once, before they take connections: more of them could only wait for its row lock,
 * and the connections are everybody's. The others wait here, and get the row in the order in which they came. So a burst
 * of one Session costs the others nothing; only a flood is refused.
 */
export class SessionGate {
  private readonly crowds = new Map<string, Crowd>();
  private waiting = 0;

  constructor(private readonly limits: SessionGateLimits) {}

  /** Sessions that somebody is in now. */
  get size(): number { return this.crowds.size; }

  /**
   * Runs `work` when its turn has come.
   * @param work calls `hasRow` once it holds the Session's row; work that never does lets nobody in beside it
   * @throws OverloadedError when too many wait already, or its turn does not come in time
   */
  async during<T>(sessionId: string, work: (hasRow: () => void) => Promise<T>): Promise<T> {
    const crowd = this.crowdOf(sessionId);
    if (mayEnter(crowd)) enter(crowd);
    else await this.turn(crowd);
    let isEntering = true;
    const hasRow = (): void => {
      if (!isEntering) return;
      isEntering = false;
      crowd.isEntering = false;
      this.letIn(crowd);
    };
    try {
      return await work(hasRow);
    } finally {
      if (isEntering) crowd.isEntering = false;
      crowd.inside -= 1;
      this.letIn(crowd);
      if (crowd.inside === 0) this.crowds.delete(sessionId);
    }
  }

  private crowdOf(sessionId: string): Crowd {
    let crowd = this.crowds.get(sessionId);
    if (crowd === undefined) this.crowds.set(sessionId, crowd = { inside: 0, isEntering: false, waiting: new Set() });
    return crowd;
  }

  /** Resolves inside. */
  private turn({ waiting }: Crowd): Promise<void> {
    const { waitMs, mostWaiting, mostWaitingInAll } = this.limits;
    if (waiting.size >= mostWaiting) throw new OverloadedError(RETRY_AFTER_MS, `${mostWaiting} calls for this session wait already.`);
    if (this.waiting >= mostWaitingInAll) throw new OverloadedError(RETRY_AFTER_MS, `${mostWaitingInAll} calls for sessions wait in this process already.`);
    return new Promise((resolve, reject) => {
      const leaveQueue = (): void => {
        clearTimeout(timer);
        waiting.delete(goIn);
        this.waiting -= 1;
      };
      const goIn = (): void => {
        leaveQueue();
        resolve();
      };
      const timer = setTimeout(() => {
        leaveQueue();
        reject(new OverloadedError(RETRY_AFTER_MS, 'Many calls for the same session are under way.'));
      }, waitMs);
      waiting.add(goIn);
      this.waiting += 1;
    });
  }

  private letIn(crowd: Crowd): void {
    const [next] = crowd.waiting;
    if (next === undefined || !mayEnter(crowd)) return;
    enter(crowd);
    next();
  }
}

const mayEnter = ({ inside, isEntering }: Crowd): boolean => inside < INSIDE && !isEntering;

function enter(crowd: Crowd): void {
  crowd.inside += 1;
  crowd.isEntering = true;
}
