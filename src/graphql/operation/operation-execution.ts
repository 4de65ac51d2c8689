import { OverloadedError, type SupportError } from '../../core/errors';
import { RequestRefusedError } from './errors';
import type { GraphqlLimits } from './limits';
import { EventLoopSlots, type OperationSlots } from './event-loop-slots';

type ExecutionLimits = Pick<GraphqlLimits, 'maxCost' | 'maxResultBytes' | 'operationMs' | 'providerOperationMs'>;

/** Fields and list items per pass of the event loop: one or two milliseconds. */
const FIELDS_PER_SLOT = 1_000;
/** Memory for all results of this process until they are sent, as a multiple of the maximum result size. */
const MAX_CONCURRENT_RESULTS = 8;
const RETRY_AFTER_MS = 500;

/** Shared by all operations of this process: slots of the event loop, and memory for results until they are sent. */
export class ExecutionBudget {
  private readonly slots = new EventLoopSlots(FIELDS_PER_SLOT);
  private bytes = 0;

  constructor(private readonly limits: ExecutionLimits) {}

  /** Returns slots for work before an execution. */
  line(): OperationSlots {
    return this.slots.forOperation();
  }

  /** Called once for each execution: a query, a mutation, the start of a subscription, or one of its events. */
  begin(): OperationExecution {
    return new OperationExecution(this.limits, this.slots.forOperation(), bytes => this.reserve(bytes));
  }

  /** @returns false if there is not enough memory */
  private reserve(bytes: number): boolean {
    if (bytes > 0 && this.bytes + bytes > MAX_CONCURRENT_RESULTS * this.limits.maxResultBytes) return false;
    this.bytes += bytes;
    return true;
  }
}

/**
 * One execution: its deadline and the size of its result so far. After it is stopped, none of its fields resolves and
 * none of its statements begins.
 */
export class OperationExecution {
  private readonly controller = new AbortController();
  /** Removes the listeners once the execution is over. */
  private readonly listenersDone = new AbortController();
  private readonly deadlineTimer: { timer: NodeJS.Timeout; at: number };
  private readonly startedAt = performance.now();
  private objects = 0;
  private bytes = 0;

  constructor(
    private readonly limits: ExecutionLimits,
    readonly line: OperationSlots,
    private readonly take: (bytes: number) => boolean,
  ) {
    this.deadlineTimer = { timer: this.startDeadline(limits.operationMs), at: this.startedAt + limits.operationMs };
  }

  /** Aborted when the execution is stopped; the reason is the SupportError that its caller gets. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }
  get isStopped(): boolean {
    return this.controller.signal.aborted;
  }

  /** For loaders: see {@link EventLoopSlots}. */
  whenIdle(dispatch: () => void): void {
    this.line.whenIdle(dispatch);
  }

  /**
   * Extends the deadline. Called when a field waits for a provider, which has time limits of its own. The longer limit
   * counts from the beginning of the execution, so that many such fields in one operation wait no longer than one.
   */
  waitForProvider(): void {
    const at = this.startedAt + this.limits.providerOperationMs;
    if (this.isStopped || at <= this.deadlineTimer.at) return;
    clearTimeout(this.deadlineTimer.timer);
    this.deadlineTimer.timer = this.startDeadline(Math.max(0, at - performance.now()));
    this.deadlineTimer.at = at;
  }

  /** Stops the execution when the caller disconnects. */
  stopWith(disconnected: AbortSignal | null): void {
    const leave = (): void =>
      this.stop(
        new RequestRefusedError('OPERATION_TIMED_OUT', 'The caller disconnected before the operation was over.'),
      );
    if (disconnected?.aborted) leave();
    disconnected?.addEventListener('abort', leave, { once: true, signal: this.listenersDone.signal });
  }

  /** Runs the execution. Called once. Rejects if it is stopped first. Its bytes stay counted until `release`. */
  async run<T>(execution: () => T | Promise<T>): Promise<T> {
    const stopped = new Promise<never>((_resolve, reject) => {
      const stop = (): void => reject(this.signal.reason as Error);
      if (this.isStopped) stop();
      else this.signal.addEventListener('abort', stop, { once: true, signal: this.listenersDone.signal });
    });
    // The loser of the race may reject without a listener.
    stopped.catch(() => undefined);
    try {
      const running = Promise.resolve(execution());
      running.catch(() => undefined);
      return await Promise.race([running, stopped]);
    } finally {
      this.listenersDone.abort();
      clearTimeout(this.deadlineTimer.timer);
    }
  }

  /** Ends the execution and frees its bytes. Called when the result was sent or will not be read. Repeatable. */
  release(): void {
    this.finish();
    this.take(-this.bytes);
    this.bytes = 0;
  }

  /** Counts objects of the result. Stops the execution if there are too many. */
  countObjects(count: number): void {
    if (this.isStopped) return;
    this.objects += count;
    if (this.objects > this.limits.maxCost)
      this.stop(
        new RequestRefusedError(
          'RESULT_TOO_LARGE',
          `The result has more than ${this.limits.maxCost} objects. Ask for fewer items with first, and page with after.`,
        ),
      );
  }

  /** Counts the result's memory, about one byte per character. Stops the execution if there are too many. */
  countBytes(bytes: number): void {
    if (this.isStopped) return;
    if (this.bytes + bytes > this.limits.maxResultBytes)
      this.stop(
        new RequestRefusedError(
          'RESULT_TOO_LARGE',
          `The result has more than ${this.limits.maxResultBytes} bytes. Ask for fewer items with first, and page with after.`,
        ),
      );
    else if (!this.take(bytes))
      this.stop(
        new OverloadedError(
          RETRY_AFTER_MS,
          'The results of this process take as much memory as allowed. Repeat the operation after retryAfterMs.',
        ),
      );
    else this.bytes += bytes;
  }

  stop(reason: SupportError): void {
    this.controller.abort(reason);
  }

  /** Called once the result exists. Fields that an error elsewhere made unnecessary are not resolved. */
  finish(): void {
    this.controller.abort();
  }

  private startDeadline(ms: number): NodeJS.Timeout {
    return setTimeout(
      () =>
        this.stop(
          new RequestRefusedError(
            'OPERATION_TIMED_OUT',
            `The operation took longer than ${ms} ms. Its writes may still take effect: repeat a mutation with the same idempotency key, or split a query.`,
          ),
        ),
      ms,
    ).unref();
  }
}
