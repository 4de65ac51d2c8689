import type { Socket } from 'node:net';
import { startInterval, type StartInterval } from './body-reader';

export interface ReaderLimits {
  /** Interval of the checks. In milliseconds. */
  readonly checkMs: number;
  /** Maximum time by which a reader may fall behind the minimum speed. In milliseconds. */
  readonly graceMs: number;
  readonly minBytesPerSecond: number;
}

interface Progress {
  bytesTaken: number;
  behindMs: number;
}

/**
 * Closes connections whose readers take the available data more slowly than the minimum speed: a response, a file, an
 * event stream, or messages of a WebSocket. So a client cannot occupy a permit or memory by not reading.
 */
export class SlowReaders {
  private readonly connections = new Map<Socket, Progress>();
  private stopChecking: (() => void) | null = null;

  constructor(
    private readonly limits: ReaderLimits,
    private readonly every: StartInterval = startInterval,
  ) {}

  /** Called for each connection before anything is written to it, and again when Node gets it back. */
  watch(connection: Socket): void {
    if (this.connections.has(connection)) return;
    this.connections.set(connection, { bytesTaken: 0, behindMs: 0 });
    connection.once('close', () => this.forget(connection));
    this.stopChecking ??= this.every(this.limits.checkMs, () => this.check());
  }

  private forget(connection: Socket): void {
    this.connections.delete(connection);
    if (this.connections.size > 0) return;
    this.stopChecking?.();
    this.stopChecking = null;
  }

  /** Counts calls instead of time: while this process is paused, no reader becomes slow. */
  private check(): void {
    const { checkMs, graceMs, minBytesPerSecond } = this.limits;
    for (const [connection, progress] of [...this.connections]) {
      const now = bytesTaken(connection);
      const earnedMs = ((now - progress.bytesTaken) * 1_000) / minBytesPerSecond;
      progress.bytesTaken = now;
      // A reader for whom no data waits is never slow.
      progress.behindMs = connection.writableLength === 0 ? 0 : Math.max(0, progress.behindMs + checkMs - earnedMs);
      if (progress.behindMs > graceMs) connection.destroy();
    }
  }
}

/** Node's internal handle of a connection; not part of the documented interface. */
interface Handled {
  readonly _handle?: { readonly bytesWritten?: number; readonly writeQueueSize?: number } | null;
}

/**
 * Returns the bytes that the operating system has taken, by the internal handle's counters. The documented ones change
 * only when a whole write is over, so that one large response would look like no progress. They are the fallback.
 */
function bytesTaken(connection: Socket): number {
  const { bytesWritten, writeQueueSize } = (connection as Handled)._handle ?? {};
  return bytesWritten === undefined || writeQueueSize === undefined
    ? connection.bytesWritten - connection.writableLength
    : bytesWritten - writeQueueSize;
}
