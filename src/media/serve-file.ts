import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout } from 'node:timers/promises';
import { fitFileName } from '../core/checks/file-name';
import { type FileRefusal, FileRefusedError, FileUnavailableError, MediaStoreError } from '../core/file-errors';
import {
  ProviderAuthError,
  ProviderRefusedError,
  ProviderUnavailableError,
  SupportDisabledError,
} from '../core/errors';
import { fileKey, type FileRef } from '../core/files';
import { ARCHIVE_TIMES } from '../core/flows/archive-file';
import type { FileArchive, ArchiveResult } from '../core/ports/file-archive';
import type { Attachment } from '../core/message';
import type { Clock } from '../core/ports/clock';
import type { Stores } from '../core/ports/stores';
import type { MediaLinks } from './media-links';

/** Retries of a request for a file that the provider is about to have. */
export const OPEN_RETRIES = { attempts: 5, pauseMs: 500, retryAfterSeconds: 10 } as const;
const STATUS_OF_REFUSAL: Readonly<Record<FileRefusal, number>> = {
  FILE_MISSING: 410,
  FILE_TOO_LARGE: 413,
  FILE_TYPE_REFUSED: 415,
};
/** Types that a browser would execute in our origin; they are sent as application/octet-stream. */
const ACTIVE_CONTENT = /html|xml|svg|javascript|ecmascript|x-msdownload|x-sh/i;

export interface FileDeps {
  readonly links: MediaLinks;
  readonly files: FileArchive;
  readonly stores: Pick<Stores, 'messages'>;
  readonly clock: Pick<Clock, 'now'>;
  /** Maximum time in which the receiver accepts no bytes. In milliseconds. */
  readonly readerStallMs: number;
}

/** Serves `GET /files/<token>/<name>`: an archived file of a message. Archives it first if necessary. */
export function createFileServer(
  deps: FileDeps,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (request, response) => {
    const end = (status: number, headers: Readonly<Record<string, string | number>> = {}): void => {
      response.writeHead(status, { 'cache-control': 'no-store', ...headers }).end();
    };
    if (request.method !== 'GET' && request.method !== 'HEAD') return end(405);
    const ref = deps.links.parsePath((request.url ?? '').split('?')[0]!);
    const message = ref && (await deps.stores.messages.get(ref.organizationId, ref.messageId));
    const attachment = message?.deletedAt === null ? message.attachments[ref!.index] : undefined;
    if (!ref || !message || attachment === undefined) return end(404);
    // Refused: the receiver knows only the file's name.
    if (attachment.refused) return end(STATUS_OF_REFUSAL[attachment.refused]);
    const mayStillAppear = () => deps.clock.now() - Date.parse(message.createdAt) < ARCHIVE_TIMES.appearsWithinMs;
    try {
      const keeping = await archiveNow(deps.files, ref, () => mayStillAppear() && !response.destroyed);
      if (keeping === 'removed') return end(404);
      // Everyone may fetch it at the provider's address.
      if (keeping === 'public') return end(302, { location: attachment.url });
      // Archiving detects the file's type.
      const current =
        (await deps.stores.messages.get(ref.organizationId, ref.messageId))?.attachments[ref.index] ?? attachment;
      if (!(await send(deps, ref, current, request, response))) end(404);
    } catch (error) {
      if (response.headersSent) return void response.destroy();
      if (error instanceof FileRefusedError && error.code === 'FILE_MISSING' && mayStillAppear())
        return end(503, { 'retry-after': OPEN_RETRIES.retryAfterSeconds });
      const status = statusOf(error);
      if (status === null) throw error;
      end(status);
    }
  };
}

async function archiveNow(files: FileArchive, ref: FileRef, mayAppear: () => boolean): Promise<ArchiveResult> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await files.archive(ref);
    } catch (error) {
      if (
        !(error instanceof FileRefusedError && error.code === 'FILE_MISSING') ||
        attempt === OPEN_RETRIES.attempts ||
        !mayAppear()
      )
        throw error;
      await setTimeout(OPEN_RETRIES.pauseMs * attempt);
    }
  }
}

/** Sends the file. Returns false if it was removed in the meantime. */
async function send(
  { files: { media }, readerStallMs }: FileDeps,
  ref: FileRef,
  { name, contentType }: Attachment,
  { method }: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  const key = fileKey(ref);
  const head = (sizeBytes: number) =>
    response.writeHead(200, {
      'content-type': ACTIVE_CONTENT.test(contentType) ? 'application/octet-stream' : contentType,
      'content-length': sizeBytes,
      'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(fitFileName(name, contentType))}`,
      'content-security-policy': "sandbox; default-src 'none'",
      'cache-control': 'private, max-age=3600',
      'x-content-type-options': 'nosniff',
    });
  if (method === 'HEAD') {
    const sizeBytes = await media.sizeOf(key);
    if (sizeBytes !== null) head(sizeBytes).end();
    return sizeBytes !== null;
  }
  const file = await media.read(key);
  if (file === null) return false;
  head(file.sizeBytes);
  response.setTimeout(readerStallMs, () => response.destroy());
  await pipeline(Readable.from(file.body, { objectMode: false }), response);
  return true;
}

/** Returns the HTTP status of an expected error, otherwise null. */
function statusOf(error: unknown): number | null {
  if (error instanceof FileRefusedError) return STATUS_OF_REFUSAL[error.code];
  if (error instanceof ProviderRefusedError) return 403;
  if (
    error instanceof ProviderUnavailableError ||
    error instanceof ProviderAuthError ||
    error instanceof FileUnavailableError
  )
    return 502;
  if (error instanceof MediaStoreError || error instanceof SupportDisabledError) return 503;
  return null;
}
