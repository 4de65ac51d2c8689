import { randomUUID } from 'node:crypto';
import { Refusal } from '../http/replies';
import { Shaping } from './shaping';
import { sign } from './signature';
import { post, type PostResult } from './transport';
import type { Delivery } from './delivery';
import type { Json } from '../model';
import type { World } from '../world';

export interface Order {
  event: string;
  receiver: Delivery['receiver'];
  url: string;
  secret: string;
  /** Called when the job runs, so that the body has the state of that moment. */
  build: () => Json | undefined;
  onFailure: (error: string) => void;
}

export class Deliveries {
  readonly list: Delivery[] = [];
  readonly shaping: Shaping;

  constructor(private readonly world: World) {
    this.shaping = new Shaping(job => world.jobs.enqueue(job));
  }

  send(order: Order): void {
    if (this.world.jobs.isRefusing) return;
    const delivery: Delivery = {
      id: this.list.length + 1,
      event: order.event,
      receiver: order.receiver,
      url: order.url,
      body: '',
      headers: {},
      state: 'waiting',
      attempts: 0,
      status: undefined,
      error: undefined,
    };
    this.list.push(delivery);
    if (this.shaping.isDropped(delivery)) {
      delivery.state = 'dropped';
      return;
    }
    this.shaping.schedule(() => this.attempt(order, delivery, randomUUID()));
    if (this.shaping.isDuplicated(delivery)) this.shaping.schedule(() => this.attempt(order, delivery, randomUUID()));
  }

  private async attempt(
    order: Order,
    delivery: Delivery,
    deliveryId: string,
    retries = this.retriesFor(order),
    body?: Buffer,
  ): Promise<void> {
    const bytes = body ?? render(order);
    if (!bytes) {
      delivery.state = 'dropped';
      return;
    }
    delivery.body = bytes.toString('utf8');
    delivery.headers = this.headersFor(order, bytes, deliveryId);
    delivery.state = 'sending';
    delivery.attempts++;
    const result = await post(order.url, bytes, delivery.headers, this.postOptions());
    delivery.status = result.status;
    delivery.error = result.ok ? undefined : result.error;
    delivery.state = result.ok ? 'delivered' : 'failed';
    if (result.ok) return;
    const [pause, ...later] = retries;
    if (pause !== undefined && mayBeRetried(result)) {
      delivery.state = 'waiting';
      this.world.jobs.enqueue(() => this.attempt(order, delivery, deliveryId, later, bytes), pause);
    } else {
      order.onFailure(result.error);
    }
  }

  private retriesFor(order: Order): number[] {
    return order.receiver === 'agent_bot' && this.world.features.botRetries ? this.world.options.botRetryDelaysMs : [];
  }

  private headersFor(order: Order, body: Buffer, deliveryId: string): Record<string, string> {
    const signedWebhooks = this.world.features.signedWebhooks && order.receiver !== 'automation';
    const timestamp = String(Math.floor(this.world.now() / 1000));
    return {
      accept: 'application/json',
      'accept-encoding': 'gzip;q=1.0,deflate;q=0.6,identity;q=0.3',
      'user-agent': this.world.features.signedWebhooks ? 'Ruby' : 'rest-client/2.1.0 (linux-gnu x86_64) ruby/3.3.8p144',
      'content-type': 'application/json',
      'content-length': String(body.length),
      ...(signedWebhooks
        ? {
            'x-chatwoot-delivery': deliveryId,
            'x-chatwoot-timestamp': timestamp,
            'x-chatwoot-signature': sign(order.secret, timestamp, body),
          }
        : {}),
    };
  }

  private postOptions() {
    const { options, features } = this.world;
    return {
      timeoutMs: options.webhookTimeoutMs,
      followRedirects: features.webhookRedirects,
      refusePrivate: features.ssrfGuard && !options.allowPrivateNetwork,
    };
  }
}

/**
 * Builds the body. Returns nothing if its subject was deleted before the job ran or cannot be rendered, which makes
 * that job crash.
 */
function render(order: Order): Buffer | undefined {
  try {
    const body = order.build();
    return body && Buffer.from(JSON.stringify(body));
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

/** Returns whether a bot webhook is retried. A timeout and a refused connection are not (CONTRACT §10). */
const mayBeRetried = (result: PostResult) => !result.ok && (result.status === 429 || result.status === 500);
