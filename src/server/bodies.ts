import type { IncomingMessage } from 'node:http';
import { BodyRefusedError, bodyTooLarge, ClientGoneError, OverloadedError } from '../core/errors';
import { Places } from '../core/places';
import { inflaterOf } from './inflate';

export interface BodyLimits {
  /** Bodies on their way at once. */
  readonly maxBodies: number;
  /** Bytes of all bodies that are here and not yet answered, as sent and inflated. */
  readonly maxBytes: number;
  /** The part of both that one sender may have. */
  readonly shareOfOne: number;
  /** How often the speed of each body is looked at, and for how long a body may be slow at its beginning. Milliseconds. */
  readonly checkMs: number;
  readonly graceMs: number;
  /** On average since the grace ended. */
  readonly minBytesPerSecond: number;
}

/** Calls `work` again and again until what it returns is called. */
export type Every = (ms: number, work: () => void) => () => void;

export const everyTimer: Every = (ms, work) => {
  const timer = setInterval(work, ms).unref();
  return () => clearInterval(timer);
};

interface Reading { bytes: number; checks: number; tooSlow(): void }
/** A body's bytes in memory, as sent and inflated. */
interface Held { readonly sender: string; bytes: number }

/**
 * Reads the bodies of requests, for all doors. A body that is on its way takes none of a door's places; it has bounds of its own,
 * of which one sender has only a share: slow bodies of one tenant leave the others theirs. Its bytes count until `release`.
 */
export class Bodies {
  private readonly places: Places;
  private readonly readings = new Set<Reading>();
  private readonly held = new Map<IncomingMessage, Held>();
  private readonly bytesBySender = new Map<string, number>();
  private bytes = 0;
  private stopChecking: (() => void) | null = null;

  constructor(private readonly limits: BodyLimits, private readonly every: Every = everyTimer) {
    this.places = new Places({ most: limits.maxBodies, what: 'bodies on their way', share: limits.shareOfOne });
  }

  /**
   * Reads a whole body and inflates it. Called once per request, when it is known who sends it.
   * @param limitBytes of the body, inflated
   * @param sender who the body counts for: an organization, an account
   * @throws BodyRefusedError, OverloadedError, ClientGoneError; then the rest of the body is left unread
   */
  async read(request: IncomingMessage, limitBytes: number, sender: string): Promise<Buffer> {
    // Gone while something else was waited for: no event tells it any more.
    if (request.destroyed) throw new ClientGoneError();
    const inflate = inflaterOf(request.headers['content-encoding']);
    if (Number(request.headers['content-length'] ?? 0) > limitBytes) throw bodyTooLarge(limitBytes);
    const leave = this.places.take(sender);
    const reading: Reading = { bytes: 0, checks: 0, tooSlow: () => undefined };
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

  /** Called when nobody needs the body of a request any more, at the latest when it is answered. May be called for any request, and again. */
  release(request: IncomingMessage): void {
    const held = this.held.get(request);
    if (held !== undefined) this.give(held, held.bytes);
    this.held.delete(request);
  }

  private collect(request: IncomingMessage, limitBytes: number, held: Held, reading: Reading): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const parts: Buffer[] = [];
      const settle = (): void => { request.off('data', onData).off('end', onEnd).off('close', onGone).off('error', onGone); };
      const refuse = (error: Error): void => {
        settle();
        request.pause();
        reject(error);
      };
      const onData = (part: Buffer): void => {
        if (reading.bytes + part.length > limitBytes) { refuse(bodyTooLarge(limitBytes)); return; }
        try {
          this.take(held, part.length);
        } catch (error) {
          refuse(error as Error);
          return;
        }
        reading.bytes += part.length;
        parts.push(part);
      };
      const onEnd = (): void => { settle(); resolve(Buffer.concat(parts)); };
      const onGone = (): void => { settle(); reject(new ClientGoneError()); };
      reading.tooSlow = () => refuse(new BodyRefusedError('BODY_TOO_SLOW', `The body came with less than ${this.limits.minBytesPerSecond} bytes a second; send it again over a faster connection.`));
      request.on('data', onData).on('end', onEnd).on('close', onGone).on('error', onGone);
    });
  }

  private begin(reading: Reading): void {
    this.readings.add(reading);
    this.stopChecking ??= this.every(this.limits.checkMs, () => this.check());
  }

  private end(reading: Reading): void {
    this.readings.delete(reading);
    if (this.readings.size > 0) return;
    this.stopChecking?.();
    this.stopChecking = null;
  }

  /** Counts its own calls and not the time: while this process stands still nobody's body is slow. */
  private check(): void {
    const { checkMs, graceMs, minBytesPerSecond } = this.limits;
    for (const reading of [...this.readings]) {
      reading.checks += 1;
      const seconds = (reading.checks * checkMs - graceMs) / 1_000;
      if (seconds > 0 && reading.bytes < seconds * minBytesPerSecond) reading.tooSlow();
    }
  }

  /** @throws OverloadedError */
  private take(held: Held, bytes: number): void {
    const { maxBytes, shareOfOne } = this.limits;
    if (this.bytes + bytes > maxBytes || (this.bytesBySender.get(held.sender) ?? 0) + bytes > maxBytes * shareOfOne)
      throw new OverloadedError(RETRY_AFTER_MS, 'This process holds as many bytes of bodies as it takes; send the request again.');
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
