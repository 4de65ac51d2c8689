import { AddressRefusedError } from '../core/errors';
import { FileRefusedError, FileUnavailableError } from '../core/file-errors';
import type { OpenedFile } from '../core/ports/provider/read-verbs';

const MAX_REDIRECTS = 3;

/**
 * Opens the file at a link of an end-user or a bot. Called for each attempt. Follows redirects itself, so that each
 * address is checked. No error or log contains the link, which may hold a secret.
 * @param fetch the tenant fetch, which refuses private addresses
 * @throws FileRefusedError FILE_MISSING if the file does not exist (any more) or its address may not be called
 * @throws FileUnavailableError if a later attempt may succeed
 */
export async function openRemoteFile(
  fetch: typeof globalThis.fetch,
  link: string,
  signal: AbortSignal,
): Promise<OpenedFile> {
  let address = parseAddress(link);
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const response = await fetch(address, { signal, redirect: 'manual' }).catch((error: unknown) => {
      signal.throwIfAborted();
      throw error instanceof AddressRefusedError
        ? fileMissingError('This service may not call its address.')
        : fileUnavailableError('Its host cannot be reached.');
    });
    const next = response.status >= 300 && response.status < 400 ? response.headers.get('location') : null;
    if (response.ok && response.body) return toOpenedFile(response, response.body, signal);
    await response.body?.cancel();
    if (response.status >= 500 || response.status === 429 || response.status === 408)
      throw fileUnavailableError('Its host reports a temporary error.');
    if (next === null) throw fileMissingError('Its link leads to no file.');
    address = parseAddress(next, address);
  }
  throw fileMissingError(`Its link has more than ${MAX_REDIRECTS} redirects.`);
}

function parseAddress(text: string, base?: URL): URL {
  const address = URL.canParse(text, base?.href) ? new URL(text, base) : null;
  if (address?.protocol !== 'https:' && address?.protocol !== 'http:')
    throw fileMissingError('Its link is not an http or https URL.');
  return address;
}

function toOpenedFile({ headers }: Response, body: AsyncIterable<Uint8Array>, signal: AbortSignal): OpenedFile {
  // For a compressed response, content-length is the compressed size.
  const length = headers.get('content-encoding') === null ? headers.get('content-length') : null;
  return {
    body: nameReadErrors(body, signal),
    sizeBytes: length === null ? null : Number(length),
    contentType: headers.get('content-type'),
  };
}

async function* nameReadErrors(body: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncIterable<Uint8Array> {
  try {
    yield* body;
  } catch {
    signal.throwIfAborted();
    throw fileUnavailableError('The transfer was interrupted.');
  }
}

const fileMissingError = (why: string) =>
  new FileRefusedError('FILE_MISSING', `A file of an end-user or a bot cannot be fetched. ${why}`);
const fileUnavailableError = (why: string) =>
  new FileUnavailableError(
    `A file of an end-user or a bot cannot be fetched at the moment. ${why} It will be attempted again.`,
  );
