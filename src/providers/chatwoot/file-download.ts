import { AddressRefusedError, ProviderRefusedError, ProviderUnavailableError } from '../../core/errors';
import type { Attachment } from '../../core/message';
import type { OpenedFile } from '../../core/ports/support-provider';

/** Chatwoot redirects once to where the bytes are; a proxy in front may send from http to https before. */
const MOST_REDIRECTS = 3;

/**
 * An agent's file. Its address is public, and built from the server's FRONTEND_URL. The outgoing client refuses private
 * addresses, so that an agent's message cannot read from our network. No token is sent.
 */
export async function openFile(fetch: typeof globalThis.fetch, { url }: Attachment, signal: AbortSignal): Promise<OpenedFile> {
  let address = addressIn(url);
  for (let hop = 0; hop <= MOST_REDIRECTS; hop++) {
    if (address.protocol !== 'https:' && address.protocol !== 'http:') throw notFetchedFrom();
    const response = await fetch(address, { signal, redirect: 'manual' }).catch((cause: unknown) => { throw cause instanceof AddressRefusedError ? notFetchedFrom() : cannotBeFetched(cause); });
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

const notFetchedFrom = () => new ProviderRefusedError('A file of an agent lies at an address that this service does not fetch from.');
const cannotBeFetched = (cause: unknown) => new ProviderUnavailableError('A file of an agent cannot be fetched now.', { cause });
