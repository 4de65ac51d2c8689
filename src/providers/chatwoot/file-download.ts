import { AddressRefusedError, ProviderRefusedError, ProviderUnavailableError } from '../../core/errors';
import type { Attachment } from '../../core/message';
import type { OpenedFile } from '../../core/ports/provider/read-verbs';

/** Chatwoot redirects once to the file's bytes; a proxy in front may redirect from http to https before. */
const MAX_REDIRECTS = 3;

/**
 * Opens an agent's file. Its address is public and built from the server's FRONTEND_URL. The tenant fetch refuses
 * private addresses, so that an agent's message cannot make this service read from its own network. No token is sent.
 */
export async function openFile(
  fetch: typeof globalThis.fetch,
  { url }: Attachment,
  signal: AbortSignal,
): Promise<OpenedFile> {
  let address = parseAddress(url);
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    if (address.protocol !== 'https:' && address.protocol !== 'http:') throw addressNotAllowedError();
    const response = await fetch(address, { signal, redirect: 'manual' }).catch((cause: unknown) => {
      throw cause instanceof AddressRefusedError ? addressNotAllowedError() : fileUnavailableError(cause);
    });
    const next = response.status >= 300 && response.status < 400 ? response.headers.get('location') : null;
    if (response.ok && response.body) return toOpenedFile(response, response.body);
    await response.body?.cancel();
    if (next === null) throw errorForStatus(response.status);
    address = parseAddress(next, address);
  }
  throw new ProviderRefusedError(
    `The address of an agent's file redirects more than ${MAX_REDIRECTS} times. Check Chatwoot's FRONTEND_URL and storage settings.`,
  );
}

function parseAddress(text: string, base?: URL): URL {
  if (URL.canParse(text, base?.href)) return new URL(text, base);
  throw new ProviderRefusedError("An agent's file has an invalid address. Check Chatwoot's FRONTEND_URL.");
}

function toOpenedFile({ headers }: Response, body: AsyncIterable<Uint8Array>): OpenedFile {
  // In a compressed response this is the length on the wire, not the file's size.
  const length = headers.get('content-encoding') === null ? headers.get('content-length') : null;
  return {
    body: nameReadErrors(body),
    sizeBytes: length === null ? null : Number(length),
    contentType: headers.get('content-type'),
  };
}

async function* nameReadErrors(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  try {
    yield* body;
  } catch (cause) {
    throw fileUnavailableError(cause);
  }
}

function errorForStatus(status: number): Error {
  if (status === 404 || status === 410)
    return new ProviderRefusedError("An agent's file does not exist in Chatwoot; it may have been deleted.", {
      gone: true,
    });
  if (status >= 500 || status === 429)
    return new ProviderUnavailableError(
      `An agent's file cannot be fetched now (status ${status}); the fetch is retried.`,
    );
  return new ProviderRefusedError(
    `Chatwoot's file server refused an agent's file (status ${status}). Check its access rules.`,
  );
}

const addressNotAllowedError = () =>
  new ProviderRefusedError(
    "An agent's file has an address that this service may not fetch. Check Chatwoot's FRONTEND_URL.",
  );
const fileUnavailableError = (cause: unknown) =>
  new ProviderUnavailableError("An agent's file cannot be fetched now; the fetch is retried.", { cause });
