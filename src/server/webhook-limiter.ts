import { createHash } from 'node:crypto';
import { ConcurrencyLimiter, type Permit } from '../core/concurrency-limiter';
import type { PlainRequest } from './plain-request';

const MOST_KNOWN = 10_000;

/**
 * Limits concurrent webhooks, in total and for each sender. Identifying the sender takes a database read. Until then
 * the webhook takes a permit of a separate limiter, so that requests to invented URLs take none of known senders.
 */
export class WebhookPlaces {
  private readonly proved: ConcurrencyLimiter;
  private readonly unproved: ConcurrencyLimiter;
  /**
   * Senders by the digest of the part of an address that was proved: an address holds a secret. The newest are kept.
   */
  private readonly senders = new Map<string, string>();

  constructor(most: number, shareOfOne: number) {
    this.proved = new ConcurrencyLimiter({ most, what: 'webhooks under way', share: shareOfOne, lends: true });
    this.unproved = new ConcurrencyLimiter({
      most: Math.ceil(most * shareOfOne),
      what: 'webhooks under way whose address is not proved yet',
    });
  }

  /**
   * Runs a webhook's work with a permit. While its body arrives, it has none.
   * @param work may release the permit before it ends
   * @throws OverloadedError
   */
  async during<T>(request: PlainRequest, work: (request: PlainRequest, leave: () => void) => Promise<T>): Promise<T> {
    const key = keyOf(request.path);
    const known = this.senders.get(key);
    let place: Permit = known === undefined ? this.unproved.createPermit() : this.proved.createPermit(known);
    place.acquire();
    try {
      return await work(
        {
          ...request,
          readBody: async (limitBytes, sender) => {
            place.release();
            this.remember(key, sender);
            place = this.proved.createPermit(sender);
            const body = await request.readBody(limitBytes, sender);
            place.acquire();
            return body;
          },
        },
        () => place.release(),
      );
    } finally {
      place.release();
    }
  }

  private remember(key: string, sender: string): void {
    this.senders.delete(key);
    this.senders.set(key, sender);
    const [oldest] = this.senders.keys();
    if (this.senders.size > MOST_KNOWN && oldest !== undefined) this.senders.delete(oldest);
  }
}

/**
 * Of `/webhooks/<account>/<secret>`, which proves the sender. Whatever follows it is the sender's choice, and must not
 * crowd others out.
 */
function keyOf(path: string): string {
  const [, , account = '', secret = ''] = path.split('/');
  return createHash('sha256').update(`${account.toLowerCase()}/${secret}`).digest('base64url');
}
