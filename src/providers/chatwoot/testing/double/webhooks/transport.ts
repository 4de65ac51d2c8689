import { lookup } from 'node:dns/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { BlockList, isIP } from 'node:net';

export type PostResult =
  | { ok: true; status: number }
  | { ok: false; status?: number; error: string; timedOut: boolean };

export interface PostOptions {
  timeoutMs: number;
  /** 4.14 repeats the POST after 302 and 307; in earlier versions these are failures. */
  followRedirects: boolean;
  refusePrivate: boolean;
}

const REASONS: Record<number, string> = {
  301: 'Moved Permanently',
  302: 'Found',
  307: 'Temporary Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  408: 'Request Timeout',
  410: 'Gone',
  422: 'Unprocessable Entity',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

/** Posts once. Returns a failure with the text that Chatwoot shows to the agent. */
export async function post(
  url: string,
  body: Buffer,
  headers: Record<string, string>,
  options: PostOptions,
  hops = 3,
): Promise<PostResult> {
  const target = parse(url);
  if (!target) return { ok: false, error: `bad URI (is not URI?): "${url}"`, timedOut: false };
  if (options.refusePrivate && (await isPrivate(target.hostname))) {
    return { ok: false, error: `Hostname '${target.hostname}' has no public ip addresses`, timedOut: false };
  }
  const answer = await exchange('POST', target, body, headers, options.timeoutMs);
  if ('error' in answer) return { ok: false, ...answer };
  if (answer.status >= 200 && answer.status < 300) return { ok: true, status: answer.status };
  if (answer.location && hops > 0) {
    const next = new URL(answer.location, target).href;
    if (answer.status === 303) return get(next, options);
    if (options.followRedirects && (answer.status === 302 || answer.status === 307))
      return post(next, body, headers, options, hops - 1);
  }
  return failed(answer.status);
}

async function get(url: string, options: PostOptions): Promise<PostResult> {
  const answer = await exchange('GET', new URL(url), undefined, { accept: 'application/json' }, options.timeoutMs);
  if ('error' in answer) return { ok: false, ...answer };
  return answer.status < 300 ? { ok: true, status: answer.status } : failed(answer.status);
}

const failed = (status: number): PostResult => ({
  ok: false,
  status,
  error: `${status} ${REASONS[status] ?? ''}`.trim(),
  timedOut: false,
});

function parse(url: string): URL | undefined {
  try {
    const parsed = new URL(url);
    return parsed.protocol === 'http:' || parsed.protocol === 'https:' ? parsed : undefined;
  } catch {
    return undefined;
  }
}

type Answer = { status: number; location: string | undefined } | { error: string; timedOut: boolean };

function exchange(
  method: string,
  url: URL,
  body: Buffer | undefined,
  headers: Record<string, string>,
  timeoutMs: number,
): Promise<Answer> {
  return new Promise(resolve => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const auth = url.username
      ? { auth: `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}` }
      : {};
    const outgoing = send(
      {
        method,
        hostname: url.hostname.replace(/^\[|\]$/g, ''),
        port: url.port,
        path: `${url.pathname}${url.search}`,
        agent: false,
        headers,
        ...auth,
      },
      (response: IncomingMessage) => {
        clearTimeout(timer);
        response.resume();
        resolve({ status: response.statusCode ?? 0, location: response.headers.location });
      },
    );
    const timer = setTimeout(() => {
      resolve({ error: 'Timed out reading data from server', timedOut: true });
      outgoing.destroy();
    }, timeoutMs);
    timer.unref();
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      resolve({ error: describe(error, url), timedOut: false });
    });
    outgoing.end(body);
  });
}

function describe(error: NodeJS.ErrnoException, url: URL): string {
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  const open = `Failed to open TCP connection to ${url.hostname}:${port}`;
  if (error.code === 'ECONNREFUSED')
    return `${open} (Connection refused - connect(2) for "${url.hostname}" port ${port})`;
  if (error.code === 'ENOTFOUND' || error.code === 'EAI_AGAIN')
    return `${open} (getaddrinfo: Name or service not known)`;
  if (error.code === 'ECONNRESET') return 'Server broke connection';
  return error.message;
}

const PRIVATE = new BlockList();
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const) {
  PRIVATE.addSubnet(net, bits, 'ipv4');
}
PRIVATE.addAddress('::1', 'ipv6');
PRIVATE.addSubnet('fc00::', 7, 'ipv6');
PRIVATE.addSubnet('fe80::', 10, 'ipv6');

async function isPrivate(hostname: string): Promise<boolean> {
  const bareHost = hostname.replace(/^\[|\]$/g, '');
  const addresses = isIP(bareHost)
    ? [bareHost]
    : (await lookup(bareHost, { all: true }).catch(() => [])).map(found => found.address);
  return (
    addresses.length > 0 && addresses.every(address => PRIVATE.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4'))
  );
}
