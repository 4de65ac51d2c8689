import { OverloadedError } from '../../core/errors';

/** The limits of one process for calls on its sessions. */
export interface SessionLimiterOptions {
  /** How long a call may wait, in milliseconds. */
  readonly waitMs: number;
  /** How many calls of one session may wait. It is above any legitimate burst. */
  readonly maxWaitingPerSession: number;
  /** How many calls of all sessions may wait. It limits their memory. */
  readonly maxWaiting: number;
}

export const SESSION_LIMITER_DEFAULTS = { maxWaitingPerSession: 500, maxWaiting: 5_000 } as const;

/** One call has the session's row, and the statements of the next one are on their way to it. */
const CONCURRENCY_PER_SESSION = 2;
const RETRY_AFTER_MS = 1_000;

interface SessionQueue {
  running: number;
  /** True: a running call does not have the session's row yet, so another one would race it for the row. */
  isLocking: boolean;
  /** In the order of arrival. */
  readonly waiting: Set<() => void>;
}

/**
 * Limits the concurrent calls on one session before they take connections. More calls could only wait for its row lock,
 * and the connections belong to all sessions. The other calls wait here and get the row in the order of arrival. So a
 * burst on one session costs the others nothing, and only a flood is refused.
 */
export class SessionLimiter {
  private readonly queues = new Map<string, SessionQueue>();
  private waiting = 0;

  constructor(private readonly limits: SessionLimiterOptions) {}

  /** The number of sessions with running calls. */
  get size(): number {
    return this.queues.size;
  }

  /**
   * Runs `work` when a slot is free.
   * @param work calls `hasRow` once it holds the session's row; until then no further call is admitted
   * @throws OverloadedError when too many calls wait already, or no slot becomes free in time
   */
  async run<T>(sessionId: string, work: (hasRow: () => void) => Promise<T>): Promise<T> {
    const queue = this.queueOf(sessionId);
    if (hasFreeSlot(queue)) takeSlot(queue);
    else await this.waitForSlot(queue);
    let isEntering = true;
    const markLocked = (): void => {
      if (!isEntering) return;
      isEntering = false;
      queue.isLocking = false;
      this.admitNext(queue);
    };
    try {
      return await work(markLocked);
    } finally {
      if (isEntering) queue.isLocking = false;
      queue.running -= 1;
      this.admitNext(queue);
      if (queue.running === 0) this.queues.delete(sessionId);
    }
  }

  private queueOf(sessionId: string): SessionQueue {
    let queue = this.queues.get(sessionId);
    if (queue === undefined) this.queues.set(sessionId, (queue = { running: 0, isLocking: false, waiting: new Set() }));
    return queue;
  }

  /** Waits for a slot. Resolves when it has one. */
  private waitForSlot({ waiting }: SessionQueue): Promise<void> {
    const { waitMs, maxWaitingPerSession, maxWaiting } = this.limits;
    if (waiting.size >= maxWaitingPerSession)
      throw new OverloadedError(RETRY_AFTER_MS, `${maxWaitingPerSession} calls for this session are already waiting.`);
    if (this.waiting >= maxWaiting)
      throw new OverloadedError(
        RETRY_AFTER_MS,
        `${maxWaiting} calls for sessions are already waiting in this process.`,
      );
    return new Promise((resolve, reject) => {
      const leaveQueue = (): void => {
        clearTimeout(timer);
        waiting.delete(admit);
        this.waiting -= 1;
      };
      const admit = (): void => {
        leaveQueue();
        resolve();
      };
      const timer = setTimeout(() => {
        leaveQueue();
        reject(new OverloadedError(RETRY_AFTER_MS, 'Too many calls for the same session are running.'));
      }, waitMs);
      waiting.add(admit);
      this.waiting += 1;
    });
  }

  private admitNext(queue: SessionQueue): void {
    const [next] = queue.waiting;
    if (next === undefined || !hasFreeSlot(queue)) return;
    takeSlot(queue);
    next();
  }
}

const hasFreeSlot = ({ running, isLocking }: SessionQueue): boolean => running < CONCURRENCY_PER_SESSION && !isLocking;

function takeSlot(queue: SessionQueue): void {
  queue.running += 1;
  queue.isLocking = true;
}
