import http, { type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { EndpointError } from '../core/errors';
import type { PushMessage, RuntimePush } from '../core/ports/runtime-push';
import { retryAfterMs } from './retry-after';
import { bareHost, isLoopback, isPrivateAddress, isPrivateHost, tenantNames, type Address } from '../addresses';

export interface HttpPushOptions {
  /** Whether endpoints may lie in our own network, and on this machine. */
  readonly toPrivate: boolean;
  /** Of the signature: receivers compare it with their own clock. */
  readonly now: () => number;
  /** Left out: the system's resolver, in turns (`NameLookups`). */
  readonly resolve?: (host: string) => Promise<readonly Address[]>;
}

/** What is read of an answer: enough for a challenge that comes back. */
const ANSWER_LIMIT_BYTES = 16_384;

/** Calls endpoints with Node's own client: only there is the address that was looked at the one that is connected to. */
export class HttpPush implements RuntimePush {
  private readonly resolve: (host: string) => Promise<readonly Address[]>;

  constructor(private readonly options: HttpPushOptions) {
    this.resolve = options.resolve ?? tenantNames.addressesOf;
  }

  async whyRefused(text: string): Promise<string | null> {
    const problem = this.problemOf(text);
    if (problem !== null || this.options.toPrivate) return problem;
    const host = bareHost(new URL(text).hostname);
    // A name that leads nowhere yet may do so later; each push looks again.
    const addresses = isIP(host) ? [] : await this.resolve(host).catch(() => []);
    return addresses.some(({ address }) => isPrivateAddress(address)) ? PRIVATE : null;
  }

  async post(url: string, secrets: readonly string[], { id, body }: PushMessage, signal: AbortSignal): Promise<string> {
    const problem = this.problemOf(url);
    if (problem !== null) throw new EndpointError('ENDPOINT_ADDRESS_REFUSED', problem);
    const at = new Date(this.options.now());
    const response = await this.send(new URL(url), {
      'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)), 'user-agent': 'support-subgraph',
      'webhook-id': id, 'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
      'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(id, at, body)).join(' '),
    }, body, signal);
    const status = response.statusCode!;
    if (status >= 200 && status < 300) return beginningOf(response);
    response.destroy();
    const retryAfter = retryAfterMs(response.headers['retry-after'], this.options.now());
    throw new EndpointError(status === 410 ? 'ENDPOINT_GONE' : 'ENDPOINT_REFUSED', `The endpoint answered ${status}.`,
      { status, ...(retryAfter !== null && { retryAfterMs: retryAfter }) });
  }

  private send(url: URL, headers: Readonly<Record<string, string>>, body: string, signal: AbortSignal): Promise<IncomingMessage> {
    const options: RequestOptions = { method: 'POST', headers, signal, agent: false, lookup: this.ownLookup as RequestOptions['lookup'] };
    return new Promise((resolve, reject) => {
      const request = (url.protocol === 'https:' ? https : http).request(url, options, resolve);
      request.on('error', (cause) => reject(cause instanceof EndpointError ? cause
        : new EndpointError('ENDPOINT_UNREACHABLE', signal.aborted ? 'The endpoint did not answer in time.' : 'The endpoint cannot be reached.', { cause })));
      request.end(body);
    });
  }

  /** What is looked at here is what is connected to: a name that moves in between gains nothing. */
  private readonly ownLookup = (host: string, { all }: { readonly all?: boolean }, done: (error: Error | null, found?: unknown, family?: number) => void): void => {
    this.resolve(host).then((addresses) => {
      if (!this.options.toPrivate && addresses.some(({ address }) => isPrivateAddress(address))) return done(new EndpointError('ENDPOINT_ADDRESS_REFUSED', PRIVATE));
      if (all) return done(null, addresses);
      done(null, addresses[0]?.address, addresses[0]?.family);
    }, done);
  };

  /** What the text alone tells. */
  private problemOf(text: string): string | null {
    if (!URL.canParse(text)) return 'The endpoint is no URL; give one like https://bot.example.com/support.';
    const { protocol, hostname, username, password, hash } = new URL(text);
    if (username !== '' || password !== '' || hash !== '') return 'Leave credentials and the part behind # out of the URL; the signature proves who calls.';
    if (protocol !== 'https:' && !(protocol === 'http:' && isLoopback(hostname))) return 'Give an https URL; http is for endpoints on this very machine.';
    return !this.options.toPrivate && isPrivateHost(hostname) ? PRIVATE : null;
  }
}

const PRIVATE = 'The endpoint lies in a private network, where nothing is pushed; give a public address, or let the operator of this service set SUPPORT_PUSH_TO_PRIVATE.';

/** The status has decided already: a body that breaks off, or never ends, changes nothing. */
async function beginningOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= ANSWER_LIMIT_BYTES) break;
    }
  } catch {
    response.destroy();
  }
  return Buffer.concat(chunks).subarray(0, ANSWER_LIMIT_BYTES).toString('utf8');
}
