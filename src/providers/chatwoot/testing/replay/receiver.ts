import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedWebhook {
  url: string;
  headers: Record<string, string | string[] | undefined>;
  body: string;
  event: string;
}

export type Responder = (webhook: ReceivedWebhook, response: ServerResponse) => void;

/** Receives and keeps webhooks, and responds with 200 unless `respond` is replaced. */
export class Receiver {
  readonly received: ReceivedWebhook[] = [];
  respond: Responder = (_webhook, response) => void response.end();
  private constructor(private readonly server: Server) {}

  static async open(): Promise<Receiver> {
    const server = createServer();
    const receiver = new Receiver(server);
    server.on('request', (request, response) => void receiver.take(request, response));
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Waits for the first matching webhook. */
  async next(fits: (webhook: ReceivedWebhook) => boolean, withinMs = 5000): Promise<ReceivedWebhook> {
    const until = Date.now() + withinMs;
    for (;;) {
      const found = this.received.find(fits);
      if (found) return found;
      if (Date.now() > until)
        throw new Error(
          `The expected webhook did not arrive in time; received: ${this.received.map(one => `${one.event} at ${one.url}`).join(', ') || 'none'}`,
        );
      await new Promise(resolve => setTimeout(resolve, 5));
    }
  }

  clear(): void {
    this.received.length = 0;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>(resolve => this.server.close(() => resolve()));
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString('utf8');
    const webhook: ReceivedWebhook = {
      url: request.url ?? '',
      headers: request.headers,
      body,
      event: body ? String((JSON.parse(body) as { event?: unknown }).event) : '',
    };
    this.received.push(webhook);
    this.respond(webhook, response);
  }
}
