/** `whenIdle` waits for jobs that are due within this time. */
const SOON_MS = 1000;

/** Imitates Sidekiq: runs jobs later, a few at a time, and can be stopped. */
export class Jobs {
  private readonly waiting: Array<() => Promise<void> | void> = [];
  private readonly timers = new Set<NodeJS.Timeout>();
  private running = 0;
  private soon = 0;
  private paused = false;
  private refusing = false;
  private stopped = false;
  private readonly idleWaiters: Array<() => void> = [];

  constructor(private readonly threads: number) {}

  /** Imitates a failed Redis: jobs enqueued meanwhile are lost. */
  refuse(refusing: boolean): void {
    this.refusing = refusing;
  }

  get isRefusing(): boolean {
    return this.refusing;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.pump();
  }

  enqueue(job: () => Promise<void> | void, delayMs = 0): void {
    if (this.refusing || this.stopped) return;
    if (delayMs <= 0) {
      this.waiting.push(job);
      queueMicrotask(() => this.pump());
      return;
    }
    const soon = delayMs <= SOON_MS;
    if (soon) this.soon++;
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      if (soon) this.soon--;
      this.waiting.push(job);
      this.pump();
    }, delayMs);
    timer.unref();
    this.timers.add(timer);
  }

  /** True if no job is running, waiting or due soon. While paused, waiting jobs do not count. */
  get idle(): boolean {
    return this.running === 0 && this.soon === 0 && (this.waiting.length === 0 || this.paused);
  }

  async whenIdle(): Promise<void> {
    if (!this.idle) await new Promise<void>(resolve => this.idleWaiters.push(resolve));
  }

  stop(): void {
    this.stopped = true;
    this.waiting.length = 0;
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
  }

  private pump(): void {
    while (!this.paused && this.running < this.threads) {
      const job = this.waiting.shift();
      if (!job) break;
      this.running++;
      void this.run(job);
    }
    if (this.idle) for (const resolve of this.idleWaiters.splice(0)) resolve();
  }

  private async run(job: () => Promise<void> | void): Promise<void> {
    try {
      await job();
    } catch (error) {
      if (!this.stopped) console.error('chatwoot double: a job failed', error);
    } finally {
      this.running--;
      this.pump();
    }
  }
}
