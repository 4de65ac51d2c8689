import { setTimeout } from 'node:timers/promises';
import { ProviderRefusedError, ProviderUnavailableError } from '../../core/errors';
import type { Attachment } from '../../core/message';
import type { AccountAccess } from '../../core/ports/support-provider';
import { leadsToPrivate } from './addresses';
import { baseUrlOf } from './settings';

export const FILE_LIMITS = {
  bytes: 100 * 1024 * 1024,
  /** Chatwoot shows a file's address a moment before the file is there. */
  missingTries: 6,
  missingPauseMs: 500,
} as const;

/**
 * An agent's file. Its address is public, and built from the server's FRONTEND_URL; it redirects once to where the bytes
 * are. Only public hosts are asked, and Chatwoot's own: an agent's message must not read from our network. No token is sent.
 */
export async function openFile(fetch: typeof globalThis.fetch, access: AccountAccess, { url, name }: Attachment, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
  const own = new URL(baseUrlOf(access)).host;
  const ask = async (address: URL): Promise<Response> => {
    const isWeb = address.protocol === 'https:' || address.protocol === 'http:';
    if (!isWeb || (address.host !== own && await leadsToPrivate(address.hostname)))
      throw new ProviderRefusedError(`The file ${name.slice(0, 80)} lies at an address that we do not fetch from.`);
    try {
      return await fetch(address, { signal, redirect: 'manual' });
    } catch (cause) {
      throw new ProviderUnavailableError('A file of an agent cannot be fetched now.', { cause });
    }
  };
  for (let attempt = 1; ; attempt++) {
    let address = new URL(url);
    let response = await ask(address);
    const next = response.status >= 300 && response.status < 400 ? response.headers.get('location') : null;
    if (next !== null) {
      await response.body?.cancel();
      response = await ask(address = new URL(next, address));
    }
    if (response.ok && response.body) {
      if (Number(response.headers.get('content-length') ?? 0) > FILE_LIMITS.bytes) {
        await response.body.cancel();
        throw tooLarge(name);
      }
      return limited(response.body, name);
    }
    await response.body?.cancel();
    if (response.status === 404 && attempt < FILE_LIMITS.missingTries) {
      await setTimeout(FILE_LIMITS.missingPauseMs * attempt, undefined, { signal });
      continue;
    }
    if (response.status === 404 || response.status === 410) throw new ProviderRefusedError('A file of an agent is no longer there.', { gone: true });
    if (response.status >= 500 || response.status === 429) throw new ProviderUnavailableError('A file of an agent cannot be fetched now.');
    throw new ProviderRefusedError('A file of an agent is not given to us.');
  }
}

async function* limited(body: AsyncIterable<Uint8Array>, name: string): AsyncIterable<Uint8Array> {
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > FILE_LIMITS.bytes) throw tooLarge(name);
    yield chunk;
  }
}

const tooLarge = (name: string) => new ProviderRefusedError(`The file ${name.slice(0, 80)} is larger than ${FILE_LIMITS.bytes} bytes.`);
