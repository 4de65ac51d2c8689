import { ProviderRefusedError, ProviderUnavailableError } from '../../core/errors';
import type { Attachment } from '../../core/message';
import type { AccountAccess, OpenedFile } from '../../core/ports/support-provider';
import { leadsToPrivate } from '../../addresses';
import { baseUrlOf } from './settings';

/** Chatwoot redirects once to where the bytes are; a proxy in front may send from http to https before. */
const MOST_REDIRECTS = 3;

/**
 * An agent's file. Its address is public, and built from the server's FRONTEND_URL. Only public hosts are asked, and
 * Chatwoot's own: an agent's message must not read from our network. No token is sent.
 */
export async function openFile(fetch: typeof globalThis.fetch, access: AccountAccess, { url }: Attachment, signal: AbortSignal): Promise<OpenedFile> {
  const own = new URL(baseUrlOf(access)).host;
  let address = addressIn(url);
  for (let hop = 0; hop <= MOST_REDIRECTS; hop++) {
    const isWeb = address.protocol === 'https:' || address.protocol === 'http:';
    if (!isWeb || (address.host !== own && await leadsToPrivate(address.hostname).catch((cause: unknown) => { throw cannotBeFetched(cause); })))
      throw new ProviderRefusedError('A file of an agent lies at an address that we do not fetch from.');
    const response = await fetch(address, { signal, redirect: 'manual' }).catch((cause: unknown) => { throw cannotBeFetched(cause); });
    const next = response.status >= 300 && response.status < 400 ? response.headers.get('location') : null;
    if (response.ok && response.body) return opened(response, response.body);
    await response.body?.cancel();
    if (next === null) throw failureOf(response.status);
    address = addressIn(next, address);
  }
  throw new ProviderRefusedError(`A file of an agent is redirected more than ${MOST_REDIRECTS} times.`);
}

function addressIn(text: string, base?: URL): URL {
  if (URL.canParse(text, base?.href)) return new URL(text, base);
  throw new ProviderRefusedError('A file of an agent has no usable address.');
}

function opened({ headers }: Response, body: AsyncIterable<Uint8Array>): OpenedFile {
  // Of a compressed answer that is the length on the wire.
  const length = headers.get('content-encoding') === null ? headers.get('content-length') : null;
  return { body: named(body), sizeBytes: length === null ? null : Number(length), contentType: headers.get('content-type') };
}

async function* named(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  try {
    yield* body;
  } catch (cause) {
    throw cannotBeFetched(cause);
  }
}

function failureOf(status: number): Error {
  if (status === 404 || status === 410) return new ProviderRefusedError('A file of an agent is not there.', { gone: true });
  if (status >= 500 || status === 429) return new ProviderUnavailableError(`A file of an agent cannot be fetched now (${status}).`);
  return new ProviderRefusedError(`A file of an agent is not given to us (${status}).`);
}

const cannotBeFetched = (cause: unknown) => new ProviderUnavailableError('A file of an agent cannot be fetched now.', { cause });
