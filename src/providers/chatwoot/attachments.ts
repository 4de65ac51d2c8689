import type { Attachment } from '../../core/message';
import { leadsToPrivate } from './addresses';

/** Of all files of one message together; whatever does not make it goes as a link. */
const LIMITS = { milliseconds: 5_000, bytes: 25 * 1024 * 1024, redirects: 3 } as const;

export interface Downloads { readonly files: readonly File[]; readonly links: readonly Attachment[] }

/** Fetches what a message carries. Nothing is lost: what cannot be fetched in time stays a link. */
export async function download(fetch: typeof globalThis.fetch, attachments: readonly Attachment[], allowPrivate: boolean, signal: AbortSignal): Promise<Downloads> {
  const files: File[] = [];
  const links: Attachment[] = [];
  const limit = AbortSignal.any([signal, AbortSignal.timeout(LIMITS.milliseconds)]);
  let room: number = LIMITS.bytes;
  for (const attachment of attachments) {
    const file = await fetchFile(fetch, attachment, room, allowPrivate, limit).catch(() => null);
    if (file === null) links.push(attachment);
    else {
      files.push(file);
      room -= file.size;
    }
  }
  return { files, links };
}

/** Redirects are followed by hand, so that each address is looked at before it is asked. */
async function fetchFile(fetch: typeof globalThis.fetch, { url: first, name, contentType }: Attachment, room: number, allowPrivate: boolean, signal: AbortSignal): Promise<File | null> {
  let url = new URL(first);
  for (let hop = 0; hop <= LIMITS.redirects; hop++) {
    if (url.protocol !== 'https:' && url.protocol !== 'http:') return null;
    if (!allowPrivate && await leadsToPrivate(url.hostname)) return null;
    const response = await fetch(url, { signal, redirect: 'manual' });
    const next = response.status >= 300 && response.status < 400 ? response.headers.get('location') : null;
    if (next !== null) {
      await response.body?.cancel();
      url = new URL(next, url);
      continue;
    }
    const bytes = response.ok ? await readUpTo(response, room) : null;
    if (bytes === null) await response.body?.cancel().catch(() => undefined);
    return bytes && new File(bytes, name, { type: contentType });
  }
  return null;
}

async function readUpTo(response: Response, most: number): Promise<Uint8Array<ArrayBuffer>[] | null> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > most) return null;
    chunks.push(chunk);
  }
  return chunks;
}
