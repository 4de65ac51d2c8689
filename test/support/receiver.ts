import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

/** One call, as the receiver got it. */
export interface Received {
  readonly id: string;
  readonly headers: IncomingHttpHeaders;
  readonly raw: string;
  readonly body: { readonly type: string; readonly timestamp: string; readonly data: any };
  /** The receiver's secrets that verify the signature. */
  readonly provenBy: readonly string[];
}

export type Answer =
  | number
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string }
  | 'cut';

/** A runtime's endpoint on loopback, which checks signatures with the Standard Webhooks library. */
export interface Receiver {
  readonly url: string;
  /** The secrets that it was given; `provenBy` names those that match. */
  readonly secrets: string[];
  /** Everything except verifications, in the order of arrival. */
  readonly received: Received[];
  readonly verifications: Received[];
  /** Returns the response to everything except verifications; by default 204. May be slow. */
  answer: (received: Received) => Answer | Promise<Answer>;
  verify: (received: Received) => Answer;
  /** Closes the server; `open` opens it again at the same address. */
  stopListening(): Promise<void>;
  open(): Promise<void>;
  close(): Promise<void>;
}

const echo = ({ body }: Received): Answer => ({
  status: 200,
  body: JSON.stringify({ challenge: body.data.challenge }),
});

export async function startReceiver(): Promise<Receiver> {
  const secrets: string[] = [];
  const received: Received[] = [];
  const verifications: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .on('end', () => void take(request.headers, Buffer.concat(chunks).toString(), response));
  });

  async function take(headers: IncomingHttpHeaders, raw: string, response: ServerResponse): Promise<void> {
    const provenBy = secrets.filter(secret => {
      try {
        new Webhook(secret).verify(raw, headers as Record<string, string>);
        return true;
      } catch {
        return false;
      }
    });
    const call: Received = { id: String(headers['webhook-id']), headers, raw, body: JSON.parse(raw), provenBy };
    const isVerification = call.body.type === 'endpoint.verification';
    (isVerification ? verifications : received).push(call);
    const answer = isVerification ? receiver.verify(call) : await receiver.answer(call);
    if (answer === 'cut') return void response.destroy();
    const { status, headers: given = {}, body } = typeof answer === 'number' ? ({ status: answer } as const) : answer;
    response.writeHead(status, given).end(body);
  }

  let port = 0;
  const receiver: Receiver = {
    get url() {
      return `http://127.0.0.1:${port}/hook`;
    },
    secrets,
    received,
    verifications,
    answer: () => 204,
    verify: echo,
    open: () => new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve)),
    stopListening: () =>
      new Promise<void>(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
    async close() {
      if (server.listening) await receiver.stopListening();
    },
  };
  await receiver.open();
  port = (server.address() as AddressInfo).port;
  return receiver;
}
