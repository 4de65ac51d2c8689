import { AddressRefusedError, FileRefusedError, FileUnavailableError } from '../core/errors';
import type { OpenedFile } from '../core/ports/support-provider';

const MOST_REDIRECTS = 3;

/**
 * Opens the file that a link of an end-user or a bot leads to. Called for each try. Redirects are followed by hand, so that
 * only web addresses are called. No error and no log names the link: it may hold a secret.
 * @param fetch the client for tenants' addresses, which refuses private ones
 * @throws FileRefusedError FILE_MISSING when nothing is there (any more) or its address is none that we ask; FileUnavailableError when a later try may succeed
 */
export async function openRemoteFile(fetch: typeof globalThis.fetch, link: string, signal: AbortSignal): Promise<OpenedFile> {
  let address = addressIn(link);
  for (let hop = 0; hop <= MOST_REDIRECTS; hop++) {
    const response = await fetch(address, { signal, redirect: 'manual' }).catch((error: unknown) => {
      signal.throwIfAborted();
      throw error instanceof AddressRefusedError ? missing('This service does not call its address.') : away('Its host cannot be reached now.');
    });
    const next = response.status >= 300 && response.status < 400 ? response.headers.get('location') : null;
    if (response.ok && response.body) return opened(response, response.body, signal);
    await response.body?.cancel();
    if (response.status >= 500 || response.status === 429 || response.status === 408) throw away('Its host answers that it may work later.');
    if (next === null) throw missing('Its link leads nowhere.');
    address = addressIn(next, address);
  }
  throw missing(`Its link is redirected more than ${MOST_REDIRECTS} times.`);
}

function addressIn(text: string, base?: URL): URL {
  const address = URL.canParse(text, base?.href) ? new URL(text, base) : null;
  if (address?.protocol !== 'https:' && address?.protocol !== 'http:') throw missing('It has no link that can be followed.');
  return address;
}

function opened({ headers }: Response, body: AsyncIterable<Uint8Array>, signal: AbortSignal): OpenedFile {
  // Of a compressed answer that is the length on the wire.
  const length = headers.get('content-encoding') === null ? headers.get('content-length') : null;
  return { body: named(body, signal), sizeBytes: length === null ? null : Number(length), contentType: headers.get('content-type') };
}

async function* named(body: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncIterable<Uint8Array> {
  try {
    yield* body;
  } catch {
    signal.throwIfAborted();
    throw away('It broke off on its way.');
  }
}

const missing = (why: string) => new FileRefusedError('FILE_MISSING', `A file of an end-user or a bot cannot be fetched. ${why}`);
const away = (why: string) => new FileUnavailableError(`A file of an end-user or a bot cannot be fetched now. ${why} It is tried again.`);
