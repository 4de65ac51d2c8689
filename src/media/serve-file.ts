import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ProviderAuthError, ProviderRefusedError, ProviderUnavailableError } from '../core/errors';
import { type Attachment, fileKeyOf } from '../core/message';
import type { MediaStore } from '../core/ports/media-store';
import type { Stores } from '../core/ports/stores';
import type { AccountAccess, SupportProvider } from '../core/ports/support-provider';
import type { AccountRecord } from '../core/setup';
import type { FileRef, MediaLinks } from './links';

const FETCH_MS = 60_000;
/** What a browser would run in our name goes out as bytes. */
const ACTIVE = /html|xml|svg|javascript|ecmascript|x-msdownload|x-sh/i;

export interface FileDeps {
  readonly links: MediaLinks;
  readonly media: MediaStore;
  readonly stores: Pick<Stores, 'messages' | 'sessions' | 'setup'>;
  providerOf(account: AccountRecord): Pick<SupportProvider, 'openFile'> | undefined;
  accessOf(account: AccountRecord): AccountAccess;
}

/** `GET /files/<token>/<name>`: a file of an agent, fetched from the provider the first time and kept by us. */
export function fileServer(deps: FileDeps): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (request, response) => {
    const end = (status: number): void => { response.writeHead(status, { 'cache-control': 'no-store' }).end(); };
    if (request.method !== 'GET' && request.method !== 'HEAD') return end(405);
    const ref = deps.links.refOf((request.url ?? '').split('?')[0]!);
    const found = ref && await attachmentOf(deps, ref);
    if (!ref || !found) return end(404);
    try {
      const key = fileKeyOf(ref.messageId, ref.index);
      const file = await deps.media.read(key) ?? await fetchInto(deps, key, found.account, found.attachment);
      // The provider lets everybody fetch it where it is.
      if (file === null) return void response.writeHead(302, { location: found.attachment.url, 'cache-control': 'no-store' }).end();
      const type = ACTIVE.test(found.attachment.contentType) ? 'application/octet-stream' : found.attachment.contentType;
      response.writeHead(200, {
        'content-type': type, 'content-length': file.sizeBytes, 'cache-control': 'private, max-age=3600', 'x-content-type-options': 'nosniff',
        'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(found.attachment.name)}`, 'content-security-policy': "sandbox; default-src 'none'",
      });
      if (request.method === 'HEAD') return void response.end();
      await pipeline(Readable.from(file.body, { objectMode: false }), response);
    } catch (error) {
      if (response.headersSent) return void response.destroy();
      if (error instanceof ProviderRefusedError) return end(error.gone ? 410 : 415);
      if (error instanceof ProviderUnavailableError || error instanceof ProviderAuthError) return end(502);
      throw error;
    }
  };
}

async function attachmentOf({ stores }: FileDeps, { organizationId, messageId, index }: FileRef): Promise<{ attachment: Attachment; account: AccountRecord } | null> {
  const message = await stores.messages.get(organizationId, messageId);
  const attachment = message?.deletedAt === null ? message.attachments[index] : undefined;
  const session = message && await stores.sessions.get(organizationId, message.sessionId);
  const inbox = session && await stores.setup.inbox(organizationId, session.inboxId);
  const account = inbox && await stores.setup.account(organizationId, inbox.accountId);
  return attachment && account ? { attachment, account } : null;
}

async function fetchInto({ media, providerOf, accessOf }: FileDeps, key: string, account: AccountRecord, attachment: Attachment) {
  const provider = providerOf(account);
  if (provider?.openFile === undefined) return null;
  await media.write(key, await provider.openFile(accessOf(account), attachment, AbortSignal.timeout(FETCH_MS)));
  return media.read(key);
}
