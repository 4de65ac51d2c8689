import { Webhook } from 'standardwebhooks';
import { isLoopback } from '../addresses';
import { addressProblem } from '../core/checks/url';
import { AddressRefusedError, EndpointError } from '../core/errors';
import type { PushMessage, RuntimePush } from '../core/ports/runtime-push';
import { retryAfterMs } from './retry-after';

export interface HttpPushOptions {
  /** The client for tenants' addresses, with a connection of its own for each call. */
  readonly fetch: typeof globalThis.fetch;
  /** Says why that client does not call an address, or null. */
  whyRefused(url: string): Promise<string | null>;
  /** Of the signature: receivers compare it with their own clock. */
  now(): number;
}

/** What is read of an answer: enough for a challenge that comes back. */
const ANSWER_LIMIT_BYTES = 16_384;

/** Calls runtimes' endpoints. */
export class HttpPush implements RuntimePush {
  constructor(private readonly options: HttpPushOptions) {}

  async whyRefused(text: string): Promise<string | null> {
    return problemOf(text) ?? this.options.whyRefused(text);
  }

  async post(url: string, secrets: readonly string[], { id, body }: PushMessage, signal: AbortSignal): Promise<string> {
    const problem = problemOf(url);
    if (problem !== null) throw new EndpointError('ENDPOINT_ADDRESS_REFUSED', problem);
    const at = new Date(this.options.now());
    const response = await this.send(url, {
      'content-type': 'application/json', 'user-agent': 'support-subgraph',
      'webhook-id': id, 'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
      'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(id, at, body)).join(' '),
    }, body, signal);
    if (response.ok) return beginningOf(response);
    // Reading on would only serve a server that never ends its answer.
    await response.body?.cancel().catch(() => undefined);
    const retryAfter = retryAfterMs(response.headers.get('retry-after') ?? undefined, this.options.now());
    throw new EndpointError(response.status === 410 ? 'ENDPOINT_GONE' : 'ENDPOINT_REFUSED', `The endpoint answered ${response.status}.`,
      { status: response.status, ...(retryAfter !== null && { retryAfterMs: retryAfter }) });
  }

  private async send(url: string, headers: Readonly<Record<string, string>>, body: string, signal: AbortSignal): Promise<Response> {
    try {
      return await this.options.fetch(url, { method: 'POST', headers, body, signal, redirect: 'manual' });
    } catch (cause) {
      if (cause instanceof AddressRefusedError) throw new EndpointError('ENDPOINT_ADDRESS_REFUSED', cause.message);
      throw new EndpointError('ENDPOINT_UNREACHABLE', signal.aborted ? 'The endpoint did not answer in time.' : 'The endpoint cannot be reached.', { cause });
    }
  }
}

/** What the text alone tells. */
function problemOf(text: string): string | null {
  const problem = addressProblem(text, 'endpoint');
  if (problem !== null) return problem;
  const { protocol, hostname } = new URL(text);
  return protocol === 'https:' || isLoopback(hostname) ? null : 'The address is not encrypted; give one that begins with https://. Only endpoints on this very machine may have http://.';
}

/** The status has decided already: a body that breaks off, or never ends, changes nothing. */
async function beginningOf({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= ANSWER_LIMIT_BYTES) break;
    }
  } catch {
    // What has come so far is the beginning.
  }
  return Buffer.concat(chunks).subarray(0, ANSWER_LIMIT_BYTES).toString('utf8');
}
