import { createWriteStream, openAsBlob } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Attachment } from '../../core/message';
import type { FormFile } from './multipart';

/** Of all files of one message together; whatever does not make it goes as a link. */
const LIMITS = {
  /** Chatwoot 4.10 was seen to take 41 MiB. */
  bytes: 40 * 1024 * 1024,
  redirects: 3,
  /** Of the time of the whole call: the upload has the rest. */
  shareOfTime: 1 / 3,
  /** Where that is not known. */
  milliseconds: 5_000,
} as const;

export interface Download {
  readonly attachments: readonly Attachment[];
  /** Of fetching and uploading together. */
  readonly timeMs?: number | undefined;
}

export interface Downloads {
  readonly files: readonly FormFile[];
  readonly links: readonly Attachment[];
  /** Call when the files have been used. */
  release(): Promise<void>;
}

/**
 * Fetches what a message carries into a folder of its own, so that none of it is held in memory and the length of the
 * upload is known before it begins. Nothing is lost: what cannot be fetched in time stays a link.
 */
export async function download(fetch: typeof globalThis.fetch, { attachments, timeMs }: Download, signal: AbortSignal): Promise<Downloads> {
  if (attachments.length === 0) return { files: [], links: [], release: async () => undefined };
  const folder = await mkdtemp(path.join(tmpdir(), 'support-upload-')).catch(() => null);
  if (folder === null) return { files: [], links: attachments, release: async () => undefined };
  const files: FormFile[] = [];
  const links: Attachment[] = [];
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeMs === undefined ? LIMITS.milliseconds : Math.ceil(timeMs * LIMITS.shareOfTime))]);
  let room: number = LIMITS.bytes;
  for (const [index, attachment] of attachments.entries()) {
    const body = await fetchInto(path.join(folder, String(index)), fetch, attachment, room, limit).catch(() => null);
    if (body === null) links.push(attachment);
    else {
      files.push({ name: attachment.name, contentType: attachment.contentType, body });
      room -= body.size;
    }
  }
  return { files, links, release: () => rm(folder, { recursive: true, force: true }) };
}

/** Redirects are followed by hand, so that only web addresses are called. The outgoing client refuses private ones. */
async function fetchInto(file: string, fetch: typeof globalThis.fetch, { url: first }: Attachment, room: number, signal: AbortSignal): Promise<Blob | null> {
  let url = new URL(first);
  for (let hop = 0; hop <= LIMITS.redirects; hop++) {
    if (url.protocol !== 'https:' && url.protocol !== 'http:') return null;
    const response = await fetch(url, { signal, redirect: 'manual' });
    const next = response.status >= 300 && response.status < 400 ? response.headers.get('location') : null;
    if (response.ok) {
      await pipeline(Readable.from(upTo(room, response.body ?? []), { objectMode: false }), createWriteStream(file, { mode: 0o600 }));
      return openAsBlob(file);
    }
    await response.body?.cancel();
    if (next === null) return null;
    url = new URL(next, url);
  }
  return null;
}

async function* upTo(most: number, body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > most) throw new Error('There is no room left for this file.');
    yield chunk;
  }
}
