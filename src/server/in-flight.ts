import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConcurrencyLimiter } from '../core/concurrency-limiter';

const CHECK_EVERY_MS = 20;

/** Tracks open requests and sockets, so that a stop can wait for them. */
export class InFlight {
  isDraining = false;
  private readonly responses = new Set<ServerResponse>();
  private readonly peers = new Set<Duplex | ServerResponse>();

  /**
   * @param strangers limiter of sockets whose callers are not identified yet; they take no permits of identified
   * callers
   */
  constructor(
    private readonly places: ConcurrencyLimiter,
    private readonly strangers: ConcurrencyLimiter,
  ) {}

  add(response: ServerResponse): void {
    this.responses.add(response);
    response.once('close', () => this.responses.delete(response));
    if (this.isDraining) response.shouldKeepAlive = false;
  }

  /**
   * Adds a socket, or a response that continues until one side ends it.
   * @param sender whom it counts for; if omitted, no sender
   * @throws OverloadedError
   */
  addPeer(peer: Duplex | ServerResponse, sender?: string): void {
    // Closed already: no event will report it again.
    if (peer.destroyed) return;
    const leave = this.places.acquire(sender);
    this.peers.add(peer);
    peer.once('close', () => {
      this.peers.delete(peer);
      leave();
    });
  }

  /**
   * Adds a socket whose caller is not identified yet.
   * @returns a function to call with the sender once identified; it throws OverloadedError
   * @throws OverloadedError
   */
  addStranger(socket: Duplex): (sender: string) => void {
    const leave = this.strangers.acquire();
    this.peers.add(socket);
    socket.once('close', () => {
      this.peers.delete(socket);
      leave();
    });
    return sender => {
      this.addPeer(socket, sender);
      leave();
    };
  }

  startDraining(): void {
    this.isDraining = true;
    for (const response of this.responses) response.shouldKeepAlive = false;
  }

  /** Waits for responses that end on their own. @returns the number of those that have not ended within the limit */
  async finish(limitMs: number): Promise<number> {
    const until = performance.now() + limitMs;
    while (this.countEnding() > 0 && performance.now() < until) await sleep(CHECK_EVERY_MS);
    return this.countEnding();
  }

  destroyPeers(): void {
    for (const peer of this.peers) peer.destroy();
  }

  private countEnding(): number {
    return [...this.responses].filter(response => !isStream(response)).length;
  }
}

/** True for a response that continues until one side ends it. */
const isStream = (response: ServerResponse): boolean =>
  String(response.getHeader('content-type') ?? '').startsWith('text/event-stream');
