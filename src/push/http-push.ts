import { Webhook } from 'standardwebhooks';
import { isLoopback } from '../addresses';
import { addressProblem } from '../core/checks/url';
import { AddressRefusedError, EndpointError } from '../core/errors';
import type { PushMessage, RuntimePush } from '../core/ports/runtime-push';
import { retryAfterMs } from './retry-after';

export interface HttpPushOptions {
  /** The tenant fetch, with a separate connection for each request. */
  readonly fetch: typeof globalThis.fetch;
  /** Returns the reason why that fetch may not call an address, or null. */
  addressProblem(url: string): Promise<string | null>;
  /** Time of the signature; receivers compare it with their own clocks. */
  now(): number;
}

/** Maximum number of bytes read of a response: enough for a returned challenge. */
const RESPONSE_LIMIT_BYTES = 16_384;

/** Pushes messages to runtime endpoints. */
export class HttpPush implements RuntimePush {
  constructor(private readonly options: HttpPushOptions) {}

  async addressProblem(text: string): Promise<string | null> {
    return urlProblem(text) ?? this.options.addressProblem(text);
  }

  async post(url: string, secrets: readonly string[], { id, body }: PushMessage, signal: AbortSignal): Promise<string> {
    const problem = urlProblem(url);
    if (problem !== null) throw new EndpointError('ENDPOINT_ADDRESS_REFUSED', problem);
    const at = new Date(this.options.now());
    const response = await this.send(
      url,
      {
        'content-type': 'application/json',
        'user-agent': 'support-subgraph',
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
        'webhook-signature': secrets.map(secret => new Webhook(secret).sign(id, at, body)).join(' '),
      },
      body,
      signal,
    );
    if (response.ok) return readBeginning(response);
    // Reading further would only help a server that never ends its response.
    await response.body?.cancel().catch(() => undefined);
    const retryAfter = retryAfterMs(response.headers.get('retry-after') ?? undefined, this.options.now());
    throw new EndpointError(
      response.status === 410 ? 'ENDPOINT_GONE' : 'ENDPOINT_REFUSED',
      `The endpoint responded with status ${response.status}.`,
      { status: response.status, ...(retryAfter !== null && { retryAfterMs: retryAfter }) },
    );
  }

  private async send(
    url: string,
    headers: Readonly<Record<string, string>>,
    body: string,
    signal: AbortSignal,
  ): Promise<Response> {
    try {
      return await this.options.fetch(url, { method: 'POST', headers, body, signal, redirect: 'manual' });
    } catch (cause) {
      if (cause instanceof AddressRefusedError) throw new EndpointError('ENDPOINT_ADDRESS_REFUSED', cause.message);
      throw new EndpointError(
        'ENDPOINT_UNREACHABLE',
        signal.aborted ? 'The endpoint did not respond in time.' : 'The endpoint cannot be reached.',
        { cause },
      );
    }
  }
}

/** Checks the URL's text only. */
function urlProblem(text: string): string | null {
  const problem = addressProblem(text, 'endpoint');
  if (problem !== null) return problem;
  const { protocol, hostname } = new URL(text);
  return protocol === 'https:' || isLoopback(hostname)
    ? null
    : 'The endpoint URL is not encrypted. Give one that begins with https://; only endpoints on the same machine may use http://.';
}

/** Reads the beginning of the body. The status is decisive, so a body that breaks off or never ends is no error. */
async function readBeginning({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= RESPONSE_LIMIT_BYTES) break;
    }
  } catch {
    // The bytes so far are the beginning.
  }
  return Buffer.concat(chunks).subarray(0, RESPONSE_LIMIT_BYTES).toString('utf8');
}
