import type { IncomingMessage } from 'node:http';
import { BodyRefusedError, bodyTooLargeError, ClientGoneError } from '../core/request-errors';
import { OverloadedError } from '../core/errors';
import { ConcurrencyLimiter } from '../core/concurrency-limiter';
import { chooseInflater } from './inflate';

export interface BodyLimits {
  /** Bodies that arrive at the same time. */
  readonly maxBodies: number;
  /** Bytes, as sent and inflated, of all bodies whose requests have no response yet. */
  readonly maxBytes: number;
  /** The fraction of both that one sender may use. */
  readonly shareOfOne: number;
  /** Interval of the speed checks, and time at the beginning of a body without one. In milliseconds. */
  readonly checkMs: number;
  readonly graceMs: number;
  /** Minimum average speed after the grace period. */
  readonly minBytesPerSecond: number;
}

/** Calls `work` at an interval until the returned function is called. */
export type StartInterval = (ms: number, work: () => void) => () => void;

export const startInterval: StartInterval = (ms, work) => {
  const timer = setInterval(work, ms).unref();
  return () => clearInterval(timer);
};

interface BodyRead {
  bytes: number;
  checks: number;
  onTooSlow(): void;
}
/** The bytes of one body in memory, as sent and inflated. */
interface Held {
  readonly sender: string;
  bytes: number;
}

/**
 * Reads the bodies of requests for all endpoints. An arriving body takes no permit of its endpoint. It counts against
 * limits of its own, of which each sender has only a share, so that slow bodies of one tenant do not block the others.
 * Its bytes count until `release`.
 */
export class BodyReader {
  private readonly limiter: ConcurrencyLimiter;
  private readonly reads = new Set<BodyRead>();
  private readonly held = new Map<IncomingMessage, Held>();
  private readonly bytesBySender = new Map<string, number>();
  private bytes = 0;
  private stopChecking: (() => void) | null = null;

  constructor(
    private readonly limits: BodyLimits,
    private readonly every: StartInterval = startInterval,
  ) {
    this.limiter = new ConcurrencyLimiter({
      most: limits.maxBodies,
      what: 'bodies on their way',
      share: limits.shareOfOne,
    });
  }

  /**
   * Reads and inflates a whole body. Called once per request, after the sender is identified.
   * @param limitBytes maximum size of the inflated body
   * @param sender the organization or account that the body counts for
   * @throws BodyRefusedError, OverloadedError, ClientGoneError; the rest of the body is then unread
   */
  async read(request: IncomingMessage, limitBytes: number, sender: string): Promise<Buffer> {
    // The client disconnected before this call, and no event will report it again.
    if (request.destroyed) throw new ClientGoneError();
    const inflate = chooseInflater(request.headers['content-encoding']);
    if (Number(request.headers['content-length'] ?? 0) > limitBytes) throw bodyTooLargeError(limitBytes);
    const leave = this.limiter.acquire(sender);
    const reading: BodyRead = { bytes: 0, checks: 0, onTooSlow: () => undefined };
    const held: Held = { sender, bytes: 0 };
    this.held.set(request, held);
    this.begin(reading);
    try {
      const body = await this.collect(request, limitBytes, held, reading);
      if (inflate === null) return body;
      const inflated = await inflate(body, limitBytes, bytes => this.take(held, bytes));
      this.give(held, body.length);
      return inflated;
    } finally {
      this.end(reading);
      leave();
    }
  }

  /**
   * Frees the body's bytes. Called at the latest when the response is sent. Repeatable, also for a request without a
   * body.
   */
  release(request: IncomingMessage): void {
    const held = this.held.get(request);
    if (held !== undefined) this.give(held, held.bytes);
    this.held.delete(request);
  }

  private collect(request: IncomingMessage, limitBytes: number, held: Held, reading: BodyRead): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const parts: Buffer[] = [];
      const cleanUp = (): void => {
        request.off('data', onData).off('end', onEnd).off('close', onGone).off('error', onGone);
      };
      const refuse = (error: Error): void => {
        cleanUp();
        request.pause();
        reject(error);
      };
      const onData = (part: Buffer): void => {
        if (reading.bytes + part.length > limitBytes) {
          refuse(bodyTooLargeError(limitBytes));
          return;
        }
        try {
          this.take(held, part.length);
        } catch (error) {
          refuse(error as Error);
          return;
        }
        reading.bytes += part.length;
        parts.push(part);
      };
      const onEnd = (): void => {
        cleanUp();
        resolve(Buffer.concat(parts));
      };
      const onGone = (): void => {
        cleanUp();
        reject(new ClientGoneError());
      };
      reading.onTooSlow = () =>
        refuse(
          new BodyRefusedError(
            'BODY_TOO_SLOW',
            `The body arrived at less than ${this.limits.minBytesPerSecond} bytes per second. Send it again over a faster connection.`,
          ),
        );
      request.on('data', onData).on('end', onEnd).on('close', onGone).on('error', onGone);
    });
  }

  private begin(reading: BodyRead): void {
    this.reads.add(reading);
    this.stopChecking ??= this.every(this.limits.checkMs, () => this.check());
  }

  private end(reading: BodyRead): void {
    this.reads.delete(reading);
    if (this.reads.size > 0) return;
    this.stopChecking?.();
    this.stopChecking = null;
  }

  /** Counts calls instead of time: while this process is paused, no body becomes too slow. */
  private check(): void {
    const { checkMs, graceMs, minBytesPerSecond } = this.limits;
    for (const reading of [...this.reads]) {
      reading.checks += 1;
      const seconds = (reading.checks * checkMs - graceMs) / 1_000;
      if (seconds > 0 && reading.bytes < seconds * minBytesPerSecond) reading.onTooSlow();
    }
  }

  /** @throws OverloadedError */
  private take(held: Held, bytes: number): void {
    const { maxBytes, shareOfOne } = this.limits;
    if (this.bytes + bytes > maxBytes || (this.bytesBySender.get(held.sender) ?? 0) + bytes > maxBytes * shareOfOne)
      throw new OverloadedError(
        RETRY_AFTER_MS,
        'This process holds as many bytes of request bodies as allowed. Send the request again after retryAfterMs.',
      );
    held.bytes += bytes;
    this.count(held.sender, bytes);
  }

  private give(held: Held, bytes: number): void {
    held.bytes -= bytes;
    this.count(held.sender, -bytes);
  }

  private count(sender: string, bytes: number): void {
    this.bytes += bytes;
    const own = (this.bytesBySender.get(sender) ?? 0) + bytes;
    if (own === 0) this.bytesBySender.delete(sender);
    else this.bytesBySender.set(sender, own);
  }
}

const RETRY_AFTER_MS = 1_000;
