/** What one operation waits with until the event loop has been around. */
class Waiting {
  private readonly resumes: (() => void)[] = [];
  private next = 0;
  private idle: (() => void)[] = [];
  isQueued = false;

  get isEmpty(): boolean { return this.next >= this.resumes.length; }

  add(resume: () => void): void { this.resumes.push(resume); }

  /** Lets the one go on that has waited longest. */
  resumeOne(): void {
    this.resumes[this.next]?.();
    this.next += 1;
    if (!this.isEmpty) return;
    this.resumes.length = 0;
    this.next = 0;
  }

  whenIdle(work: () => void): void { this.idle.push(work); }

  takeIdle(): (() => void)[] {
    const work = this.idle;
    this.idle = [];
    return work;
  }
}

/**
 * Shares the event loop among operations. Within one turn of the loop at most `fieldsPerTurn` fields and list items are put
 * together, over all operations; what is left waits for the next turn, one operation after the other. In between the process answers
 * everybody else.
 */
export class EventLoopTurns {
  private resolved = 0;
  private isArmed = false;
  private isResuming = false;
  private readonly queue: Waiting[] = [];

  constructor(private readonly fieldsPerTurn: number) {}

  /** One operation's own line. */
  line(): Line { return new Line(this, new Waiting()); }

  get isFull(): boolean { return this.resolved >= this.fieldsPerTurn; }

  /** Counts fields, and items of lists. */
  count(number: number): void {
    this.resolved += number;
    this.arm();
  }

  /** Called by a line whose work has to wait. */
  enqueue(waiting: Waiting): void {
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

  /** Lets one after the other go on until the turn is full. */
  private resume(): void {
    const waiting = this.queue.shift();
    this.isResuming = waiting !== undefined;
    if (waiting === undefined) return;
    waiting.isQueued = false;
    waiting.resumeOne();
    // A next tick that a microtask asks for comes after all the microtasks that the one causes.
    queueMicrotask(() => process.nextTick(() => {
      if (waiting.isEmpty) for (const work of waiting.takeIdle()) work();
      else this.enqueue(waiting);
      if (!this.isFull) { this.resume(); return; }
      this.isResuming = false;
      if (this.queue.length > 0) this.arm();
    }));
  }
}

/** One operation's place in the turns. */
export class Line {
  constructor(private readonly turns: EventLoopTurns, private readonly waiting: Waiting) {}

  get mustWait(): boolean { return this.turns.isFull; }

  count(number = 1): void { this.turns.count(number); }

  /** Resolves in a later turn of the event loop. */
  turn(): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.add(resolve);
      this.turns.enqueue(this.waiting);
    });
  }

  /**
   * Runs `work` once nothing of this operation waits for a turn: a loader that collects keys then has all that this level
   * of the result asks for. Never before the promise jobs of now.
   */
  whenIdle(work: () => void): void {
    queueMicrotask(() => process.nextTick(() => {
      if (this.waiting.isEmpty) work();
      else this.waiting.whenIdle(work);
    }));
  }
}
