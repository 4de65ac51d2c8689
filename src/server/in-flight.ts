import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Places } from '../core/places';

const LOOK_EVERY_MS = 20;

/** What is under way on the HTTP side, for a stop that cuts nothing off. */
export class InFlight {
  isDraining = false;
  private readonly responses = new Set<ServerResponse>();
  private readonly peers = new Set<Duplex | ServerResponse>();

  /** @param strangers sockets whose callers are not known yet: they take none of the places of those who are */
  constructor(private readonly places: Places, private readonly strangers: Places) {}

  add(response: ServerResponse): void {
    this.responses.add(response);
    response.once('close', () => this.responses.delete(response));
    if (this.isDraining) response.shouldKeepAlive = false;
  }

  /**
   * A socket, or an answer that goes on until somebody ends it.
   * @param sender who it counts for; if omitted, nobody in particular
   * @throws OverloadedError
   */
  addPeer(peer: Duplex | ServerResponse, sender?: string): void {
    // Gone already: nothing tells it any more.
    if (peer.destroyed) return;
    const leave = this.places.take(sender);
    this.peers.add(peer);
    peer.once('close', () => {
      this.peers.delete(peer);
      leave();
    });
  }

  /** A socket whose caller is not known yet. @returns what is called once it is known; throws OverloadedError @throws OverloadedError */
  addStranger(socket: Duplex): (sender: string) => void {
    const leave = this.strangers.take();
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

  /** Waits for answers that will end by themselves. @returns how many had not when the time was over */
  async finish(limitMs: number): Promise<number> {
    const until = performance.now() + limitMs;
    while (this.ending() > 0 && performance.now() < until) await sleep(LOOK_EVERY_MS);
    return this.ending();
  }

  destroyPeers(): void {
    for (const peer of this.peers) peer.destroy();
  }

  private ending(): number {
    return [...this.responses].filter(response => !isStream(response)).length;
  }
}

/** Goes on until somebody ends it. */
const isStream = (response: ServerResponse): boolean => String(response.getHeader('content-type') ?? '').startsWith('text/event-stream');
