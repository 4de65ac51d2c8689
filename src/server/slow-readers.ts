import type { Socket } from 'node:net';
import { everyTimer, type Every } from './bodies';

export interface ReaderLimits {
  /** How often each connection is looked at. Milliseconds. */
  readonly checkMs: number;
  /** How far a reader may fall behind the speed below. Milliseconds. */
  readonly graceMs: number;
  readonly minBytesPerSecond: number;
}

interface Progress { bytesTaken: number; behindMs: number }

/**
 * Cuts connections whose readers take less than the minimum speed of what is ready for them, whatever it is: an answer, a file,
 * an event stream, messages of a WebSocket. So nobody keeps a place or memory by not reading.
 */
export class SlowReaders {
  private readonly connections = new Map<Socket, Progress>();
  private stopChecking: (() => void) | null = null;

  constructor(private readonly limits: ReaderLimits, private readonly every: Every = everyTimer) {}

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

  /** Counts its own calls and not the time: while this process stands still no reader is slow. */
  private check(): void {
    const { checkMs, graceMs, minBytesPerSecond } = this.limits;
    for (const [connection, progress] of [...this.connections]) {
      const now = bytesTaken(connection);
      const earnedMs = ((now - progress.bytesTaken) * 1_000) / minBytesPerSecond;
      progress.bytesTaken = now;
      // Without anything that waits for it a reader is never slow.
      progress.behindMs = connection.writableLength === 0 ? 0 : Math.max(0, progress.behindMs + checkMs - earnedMs);
      if (progress.behindMs > graceMs) connection.destroy();
    }
  }
}

/** Node's own handle of a connection; no part of its documented interface. */
interface Handled { readonly _handle?: { readonly bytesWritten?: number; readonly writeQueueSize?: number } | null }

/**
 * What the network has taken. The documented counters move only when a whole write is over, so that one large answer would look
 * like no progress for as long as it takes. Without the handle's counters they are used all the same.
 */
function bytesTaken(connection: Socket): number {
  const { bytesWritten, writeQueueSize } = (connection as Handled)._handle ?? {};
  return bytesWritten === undefined || writeQueueSize === undefined ? connection.bytesWritten - connection.writableLength : bytesWritten - writeQueueSize;
}
