/** Resolvers of one operation that wait for a later pass of the event loop. */
class WaitQueue {
  private readonly resumes: (() => void)[] = [];
  private next = 0;
  private idle: (() => void)[] = [];
  isQueued = false;

  get isEmpty(): boolean {
    return this.next >= this.resumes.length;
  }

  add(resume: () => void): void {
    this.resumes.push(resume);
  }

  /** Resumes the resolver that has waited longest. */
  resumeOne(): void {
    this.resumes[this.next]?.();
    this.next += 1;
    if (!this.isEmpty) return;
    this.resumes.length = 0;
    this.next = 0;
  }

  whenIdle(work: () => void): void {
    this.idle.push(work);
  }

  takeIdle(): (() => void)[] {
    const work = this.idle;
    this.idle = [];
    return work;
  }
}

/**
 * Shares the event loop among operations. In each pass of the loop, all operations together resolve at most
 * `fieldsPerTurn` fields and list items. The rest waits for the next pass, one operation after another, so that the
 * process serves other requests in between.
 */
export class EventLoopSlots {
  private resolved = 0;
  private isArmed = false;
  private isResuming = false;
  private readonly queue: WaitQueue[] = [];

  constructor(private readonly fieldsPerSlot: number) {}

  /** Returns the slots of one operation. */
  forOperation(): OperationSlots {
    return new OperationSlots(this, new WaitQueue());
  }

  get isFull(): boolean {
    return this.resolved >= this.fieldsPerSlot;
  }

  /** Counts fields and list items. */
  count(number: number): void {
    this.resolved += number;
    this.arm();
  }

  /** Called by an operation whose resolvers have to wait. */
  enqueue(waiting: WaitQueue): void {
    if (!waiting.isQueued) this.queue.push(waiting);
    waiting.isQueued = true;
    this.arm();
  }

  private arm(): void {
    if (this.isArmed) return;
    this.isArmed = true;
    setImmediate(() => {
      this.isArmed = false;
      this.resolved = 0;
      if (!this.isResuming) this.resume();
    });
  }

  /** Resumes one operation after another until the pass is full. */
  private resume(): void {
    const waiting = this.queue.shift();
    this.isResuming = waiting !== undefined;
    if (waiting === undefined) return;
    waiting.isQueued = false;
    waiting.resumeOne();
    // A next tick requested by a microtask runs after all microtasks that the resumed resolver causes.
    queueMicrotask(() =>
      process.nextTick(() => {
        if (waiting.isEmpty) for (const work of waiting.takeIdle()) work();
        else this.enqueue(waiting);
        if (!this.isFull) {
          this.resume();
          return;
        }
        this.isResuming = false;
        if (this.queue.length > 0) this.arm();
      }),
    );
  }
}

/** The slots of one operation. */
export class OperationSlots {
  constructor(
    private readonly turns: EventLoopSlots,
    private readonly waiting: WaitQueue,
  ) {}

  get mustWait(): boolean {
    return this.turns.isFull;
  }

  count(number = 1): void {
    this.turns.count(number);
  }

  /** Resolves in a later pass of the event loop. */
  nextSlot(): Promise<void> {
    return new Promise(resolve => {
      this.waiting.add(resolve);
      this.turns.enqueue(this.waiting);
    });
  }

  /**
   * Runs `work` when no resolver of this operation waits for a slot: then a loader has collected all keys of this level
   * of the result. Never runs before the pending microtasks.
   */
  whenIdle(work: () => void): void {
    queueMicrotask(() =>
      process.nextTick(() => {
        if (this.waiting.isEmpty) work();
        else this.waiting.whenIdle(work);
      }),
    );
  }
}
