import { OverloadedError, type SupportError } from '../../core/errors';
import { RequestRefusedError } from '../errors';
import type { GraphqlLimits } from '../limits';
import { EventLoopTurns, type Line } from './turns';

type WorkLimits = Pick<GraphqlLimits, 'maxCost' | 'maxResultBytes' | 'operationMs' | 'providerOperationMs'>;

/** Fields and list items of one turn of the event loop: one or two milliseconds. */
const FIELDS_PER_TURN = 1_000;
/** Results under way in this process together, in results of the largest size. */
const RESULTS_AT_ONCE = 8;
const RETRY_AFTER_MS = 500;

/** What all operations of this process share: turns of the event loop, and memory for results under way. */
export class Workshop {
  private readonly turns = new EventLoopTurns(FIELDS_PER_TURN);
  private bytes = 0;

  constructor(private readonly limits: WorkLimits) {}

  /** For work before an execution. */
  line(): Line { return this.turns.line(); }

  /** Called once for each execution: a query, a mutation, the start of a subscription, one event of it. */
  begin(): OperationWork { return new OperationWork(this.limits, this.turns.line(), (bytes) => this.take(bytes)); }

  /** @returns false when there is no room */
  private take(bytes: number): boolean {
    if (bytes > 0 && this.bytes + bytes > RESULTS_AT_ONCE * this.limits.maxResultBytes) return false;
    this.bytes += bytes;
    return true;
  }
}

/**
 * One execution while it runs: its deadline, and what its result has grown to. Once it is stopped, nothing of it goes on:
 * fields stay unresolved for good, and no statement is begun.
 */
export class OperationWork {
  private readonly controller = new AbortController();
  /** Takes the listeners off once the execution is over. */
  private readonly over = new AbortController();
  private readonly endsAt: { timer: NodeJS.Timeout; at: number };
  private readonly startedAt = performance.now();
  private objects = 0;
  private bytes = 0;

  constructor(private readonly limits: WorkLimits, readonly line: Line, private readonly take: (bytes: number) => boolean) {
    this.endsAt = { timer: this.deadline(limits.operationMs), at: this.startedAt + limits.operationMs };
  }

  /** Aborted when the work is stopped; the reason is the SupportError that its caller gets. */
  get signal(): AbortSignal { return this.controller.signal; }
  get isStopped(): boolean { return this.controller.signal.aborted; }

  /** For loaders: see EventLoopTurns. */
  whenIdle(dispatch: () => void): void { this.line.whenIdle(dispatch); }

  /**
   * Called where a field waits for a provider, which has time limits of its own: moves the deadline behind them. Counted from the
   * beginning of the execution, so that many such fields of one operation wait no longer than one.
   */
  waitForProvider(): void {
    const at = this.startedAt + this.limits.providerOperationMs;
    if (this.isStopped || at <= this.endsAt.at) return;
    clearTimeout(this.endsAt.timer);
    this.endsAt.timer = this.deadline(Math.max(0, at - performance.now()));
    this.endsAt.at = at;
  }

  /** Stops the work when the caller has left. */
  stopWith(gone: AbortSignal | null): void {
    const leave = (): void => this.stop(new RequestRefusedError('OPERATION_TIMED_OUT', 'The caller left before the operation was over.'));
    if (gone?.aborted) leave();
    gone?.addEventListener('abort', leave, { once: true, signal: this.over.signal });
  }

  /** Called once. Rejects when the work is stopped before `execution` is over. The bytes stay counted until `release`. */
  async run<T>(execution: () => T | Promise<T>): Promise<T> {
    const stopped = new Promise<never>((_resolve, reject) => {
      const stop = (): void => reject(this.signal.reason as Error);
      if (this.isStopped) stop();
      else this.signal.addEventListener('abort', stop, { once: true, signal: this.over.signal });
    });
    // Nobody may be left to hear of either when the other one was first.
    stopped.catch(() => undefined);
    try {
      const running = Promise.resolve(execution());
      running.catch(() => undefined);
      return await Promise.race([running, stopped]);
    } finally {
      this.over.abort();
      clearTimeout(this.endsAt.timer);
    }
  }

  /** Called when the result was sent, or is sent to nobody. Ends the work, and counts its bytes no more. Repeatable. */
  release(): void {
    this.finish();
    this.take(-this.bytes);
    this.bytes = 0;
  }

  /** Counts objects of the result; too many stop the work. */
  countObjects(count: number): void {
    if (this.isStopped) return;
    this.objects += count;
    if (this.objects > this.limits.maxCost)
      this.stop(new RequestRefusedError('RESULT_TOO_LARGE', `The result has more than ${this.limits.maxCost} objects. Ask for fewer items with first, and page on with after.`));
  }

  /** Counts what the result takes of memory, about one for each character; too many stop the work. */
  countBytes(bytes: number): void {
    if (this.isStopped) return;
    if (this.bytes + bytes > this.limits.maxResultBytes)
      this.stop(new RequestRefusedError('RESULT_TOO_LARGE', `The result has more than ${this.limits.maxResultBytes} bytes. Ask for fewer items with first, and page on with after.`));
    else if (!this.take(bytes))
      this.stop(new OverloadedError(RETRY_AFTER_MS, 'The results that this process puts together take as much memory as they may.'));
    else this.bytes += bytes;
  }

  stop(reason: SupportError): void { this.controller.abort(reason); }

  /** After the result is there: fields that an error elsewhere has made needless are not resolved any more. */
  finish(): void { this.controller.abort(); }

  private deadline(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.stop(new RequestRefusedError('OPERATION_TIMED_OUT',
      `The operation was not over within ${ms} ms. What it had begun may still be done: repeat a mutation with the same idempotency key, and ask a query for less.`)), ms).unref();
  }
}
