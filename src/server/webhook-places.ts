import { createHash } from 'node:crypto';
import { Places, type Place } from '../core/places';
import type { PlainRequest } from './plain-request';

const MOST_KNOWN = 10_000;

/**
 * Bounds webhooks under way, and those of one sender. Who sends one is known when its address is proved, by a look into the
 * database: until then it has a place of its own kind, so that nobody who makes addresses up takes those of known senders.
 */
export class WebhookPlaces {
  private readonly proved: Places;
  private readonly unproved: Places;
  /** Senders by the digest of the part of an address that was proved: an address holds a secret. The newest are kept. */
  private readonly senders = new Map<string, string>();

  constructor(most: number, shareOfOne: number) {
    this.proved = new Places({ most, what: 'webhooks under way', share: shareOfOne, lends: true });
    this.unproved = new Places({ most: Math.ceil(most * shareOfOne), what: 'webhooks under way whose address is not proved yet' });
  }

  /**
   * Runs a webhook's work within a place. Its body, which is on its way, takes none.
   * @param work may give the place back before it ends @throws OverloadedError
   */
  async during<T>(request: PlainRequest, work: (request: PlainRequest, leave: () => void) => Promise<T>): Promise<T> {
    const key = keyOf(request.path);
    const known = this.senders.get(key);
    let place: Place = known === undefined ? this.unproved.place() : this.proved.place(known);
    place.take();
    try {
      return await work({
        ...request,
        readBody: async (limitBytes, sender) => {
          place.leave();
          this.remember(key, sender);
          place = this.proved.place(sender);
          const body = await request.readBody(limitBytes, sender);
          place.take();
          return body;
        },
      }, () => place.leave());
    } finally {
      place.leave();
    }
  }

  private remember(key: string, sender: string): void {
    this.senders.delete(key);
    this.senders.set(key, sender);
    const [oldest] = this.senders.keys();
    if (this.senders.size > MOST_KNOWN && oldest !== undefined) this.senders.delete(oldest);
  }
}

/** Of `/webhooks/<account>/<secret>`, which proves the sender. Whatever follows it is the sender's choice, and must not crowd others out. */
function keyOf(path: string): string {
  const [, , account = '', secret = ''] = path.split('/');
  return createHash('sha256').update(`${account.toLowerCase()}/${secret}`).digest('base64url');
}
