import { OverloadedError } from '../core/errors';

/** The limits of one process for calls on its sessions. */
export interface SessionGateLimits {
  /** How long a call may wait, in milliseconds. */
  readonly waitMs: number;
  /** How many calls of one session may wait. It is above any legitimate burst. */
  readonly mostWaiting: number;
  /** How many calls of all sessions may wait. It limits their memory. */
  readonly mostWaitingInAll: number;
}

export const SESSION_GATE = { mostWaiting: 500, mostWaitingInAll: 5_000 } as const;

/** One call has the session's row, and the statements of the next one are on their way to it. */
const INSIDE = 2;
const RETRY_AFTER_MS = 1_000;

interface Crowd {
  inside: number;
  /** True: a running call does not have the session's row yet, so another one would race it for the row. */
  isEntering: boolean;
  /** In the order of arrival. */
  readonly waiting: Set<() => void>;
}

/**
 * Limits the concurrent calls on one session before they take connections. More calls could only wait for its row lock,
 * and the connections belong to all sessions. The other calls wait here and get the row in the order of arrival. So a
 * burst on one session costs the others nothing, and only a flood is refused.
 */
export class SessionGate {
  private readonly crowds = new Map<string, Crowd>();
  private waiting = 0;

  constructor(private readonly limits: SessionGateLimits) {}

  /** The number of sessions with running calls. */
  get size(): number { return this.crowds.size; }

  /**
   * Runs `work` when a slot is free.
   * @param work calls `hasRow` once it holds the session's row; until then no further call is admitted
   * @throws OverloadedError when too many calls wait already, or no slot becomes free in time
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

  /** Waits for a slot. Resolves when it has one. */
  private turn({ waiting }: Crowd): Promise<void> {
    const { waitMs, mostWaiting, mostWaitingInAll } = this.limits;
    if (waiting.size >= mostWaiting) throw new OverloadedError(RETRY_AFTER_MS, `${mostWaiting} calls for this session are already waiting.`);
    if (this.waiting >= mostWaitingInAll) throw new OverloadedError(RETRY_AFTER_MS, `${mostWaitingInAll} calls for sessions are already waiting in this process.`);
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
        reject(new OverloadedError(RETRY_AFTER_MS, 'Too many calls for the same session are running.'));
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
