import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import type { SupportControl } from '../../examples/generated/client';
import type { SeededRandom } from './seeded-random';
import type { Received } from './evidence';
import type { RunRecord } from './record';

interface Pushed {
  readonly type: string;
  readonly data: {
    readonly challenge?: string;
    readonly deliveryId: string;
    readonly session: { readonly externalId: string; readonly control: SupportControl; readonly epoch: number };
    readonly message?: {
      readonly id: string;
      readonly seq: number;
      readonly author: 'AGENT' | 'SYSTEM' | 'BOT' | 'END_USER';
      readonly text: string;
    };
    readonly handoff?: { readonly id: string };
    readonly state?: string;
    readonly outcome?: { readonly state: string; readonly reason: string | null };
  };
}

/** The endpoint of a runtime with push: accepts signed deliveries, and now and then pretends that it did not. */
export class Endpoint {
  private readonly server: Server;
  /** Null until the endpoint is registered. */
  secret: string | null = null;
  private record: RunRecord | null = null;

  private constructor(private readonly random: SeededRandom) {
    this.server = createServer(
      (request, response) => void this.take(request, response).catch(() => response.destroy()),
    );
  }

  static async start(random: SeededRandom): Promise<Endpoint> {
    const endpoint = new Endpoint(random);
    await new Promise<void>(resolve => endpoint.server.listen(0, '127.0.0.1', resolve));
    return endpoint;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }
  useRecord(record: RunRecord): void {
    this.record = record;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise(resolve => this.server.close(resolve));
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const raw = Buffer.concat(chunks).toString();
    try {
      new Webhook(this.secret ?? '').verify(raw, request.headers as Record<string, string>);
    } catch {
      return void response.writeHead(401).end();
    }
    const { type, data } = JSON.parse(raw) as Pushed;
    if (type === 'endpoint.verification')
      return void response.writeHead(200).end(JSON.stringify({ challenge: data.challenge }));
    const {
      deliveryId,
      session: { externalId: session, control, epoch },
    } = data;
    this.record?.receive({ via: 'push', session, deliveryId, control, epoch, notice: noticeOf(type, data) });
    // As if it had crashed after accepting and before responding.
    response.writeHead(this.record !== null && this.random.chance(0.1) ? 500 : 204).end();
  }
}

function noticeOf(type: string, { message, handoff, state, outcome }: Pushed['data']): Received['notice'] {
  if (type === 'message.created')
    return { kind: 'message', author: message!.author, messageId: message!.id, seq: message!.seq, text: message!.text };
  if (type === 'handoff.state_changed') return { kind: 'state', handoffId: handoff!.id, state: state! };
  if (type === 'handoff.ended')
    return { kind: 'outcome', handoffId: handoff!.id, state: outcome!.state, reason: outcome!.reason };
  return { kind: 'other', what: type };
}
