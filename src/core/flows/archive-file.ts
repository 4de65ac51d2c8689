import { fitFileName } from '../checks/file-name';
import { FileRefusedError, MediaStoreError } from '../file-errors';
import { ProviderRefusedError, ProviderUnavailableError } from '../errors';
import {
  checkFile,
  fileKey,
  limitsFor,
  fileTooLargeError,
  replaceFile,
  type FileLimits,
  type FileRef,
  type FileRules,
} from '../files';
import { detectFileType, HEAD_BYTES } from '../detect-file-type';
import type { MessageId, OrganizationId } from '../ids';
import { hasProviderFiles, type Attachment, type MessageRecord } from '../message';
import { instantOf } from '../ports/clock';
import type { MediaStore } from '../ports/media-store';
import type { ArchiveResult, FileArchive } from '../ports/file-archive';
import type { Stores } from '../ports/stores';
import type { OpenedFile } from '../ports/provider/read-verbs';
import type { PostedFile } from '../ports/provider/post-verbs';
import { loadProviderContext } from './provider-context';
import { accessOf, type FlowDeps } from './deps';

export const ARCHIVE_TIMES = {
  /** Agents' messages can appear shortly before their files exist, so until then a missing file proves nothing. */
  appearsWithinMs: 10 * 60_000,
  /**
   * How long an end-user's or a bot's file is attempted. Their links rarely live longer, and the session's other files
   * wait for it.
   */
  linkRetryMs: 2 * 3_600_000,
} as const;

/**
 * The limits of a fetch, in milliseconds. `attemptMs`: one attempt, from requesting the first byte to storing the last.
 * `silenceMs`: the time without a byte.
 */
export interface ArchiveLimits extends FileRules {
  readonly attemptMs: number;
  readonly silenceMs: number;
}

export interface FileArchiveOptions {
  readonly media: MediaStore;
  readonly limits: ArchiveLimits;
  /** After how long files are removed, in milliseconds; null: when their messages are deleted. */
  readonly retentionMs: number | null;
  /**
   * Opens the link of an end-user's or a bot's file.
   * @throws FileRefusedError FILE_MISSING if the file is missing; FileUnavailableError
   */
  openLink(url: string, signal: AbortSignal): Promise<OpenedFile>;
}

/** The state that all archives of a process share. */
interface SharedFetches {
  readonly running: Map<string, Promise<ArchiveResult>>;
  readonly stopping: AbortController;
}

interface FileToFetch {
  readonly file: Attachment;
  readonly message: MessageRecord;
}

/** The archive that fetches from providers and from links. */
export class FetchingFileArchive implements FileArchive {
  readonly media: MediaStore;

  constructor(
    private readonly deps: FlowDeps,
    private readonly options: FileArchiveOptions,
    private readonly shared: SharedFetches = { running: new Map(), stopping: new AbortController() },
  ) {
    this.media = options.media;
  }

  get rules(): FileRules {
    return this.options.limits;
  }

  withStores(stores: Stores): FileArchive {
    return new FetchingFileArchive({ ...this.deps, stores }, this.options, this.shared);
  }

  archive(file: FileRef): Promise<ArchiveResult> {
    const { running } = this.shared;
    const key = fileKey(file);
    let keeping = running.get(key);
    if (keeping === undefined) {
      keeping = this.archiveOnce(file, key).finally(() => running.delete(key));
      running.set(key, keeping);
    }
    return keeping;
  }

  async postedFileOf(
    ref: Pick<FileRef, 'messageId' | 'index'>,
    { name, contentType }: Attachment,
  ): Promise<PostedFile | null> {
    const key = fileKey(ref);
    const sizeBytes = await this.media.sizeOf(key);
    const open = async () => {
      const kept = await this.media.read(key);
      if (kept === null)
        throw new MediaStoreError(
          'An archived file was removed before it could be posted. The post is retried without it.',
        );
      return kept.body;
    };
    return sizeBytes === null ? null : { name, contentType, sizeBytes, open };
  }

  async remove(organizationId: OrganizationId, messageId: MessageId): Promise<void> {
    const message = await this.deps.stores.messages.get(organizationId, messageId);
    for (const index of message?.attachments.keys() ?? []) await this.media.remove(fileKey({ messageId, index }));
  }

  sweep(): Promise<number> {
    const { retentionMs } = this.options;
    const before = retentionMs === null ? null : instantOf(this.deps.clock.now() - retentionMs);
    return this.media.sweep(before, this.shared.stopping.signal);
  }

  stop(): void {
    this.shared.stopping.abort(new ProviderUnavailableError('This process is stopping, so the file is fetched later.'));
  }

  private async archiveOnce(ref: FileRef, key: string): Promise<ArchiveResult> {
    const wanted = await this.findFile(ref);
    if (wanted === null) return 'removed';
    const isKept = (await this.media.sizeOf(key)) !== null;
    const change = isKept ? {} : await this.fetch(ref, wanted, key);
    if (change === null) return 'public';
    // The message was deleted during the fetch, and its files may already have been removed.
    if (await this.recordArchived(ref, wanted.message, change)) return 'archived';
    await this.media.remove(key);
    return 'removed';
  }

  /**
   * Fetches the file and returns the properties that its bytes show. Null: everybody may fetch it from its own address.
   */
  private async fetch(
    { organizationId }: FileRef,
    { file, message: of }: FileToFetch,
    key: string,
  ): Promise<Partial<Attachment> | null> {
    const { limits, openLink } = this.options;
    const own = limitsFor(of.author, limits);
    const open = hasProviderFiles(of)
      ? await this.providerFileOpener(organizationId, of)
      : (signal: AbortSignal) => openLink(file.url, signal);
    if (open === null) return null;
    checkFile(file, own);
    const silence = new SilenceTimeout(
      AbortSignal.any([this.shared.stopping.signal, AbortSignal.timeout(limits.attemptMs)]),
      limits.silenceMs,
    );
    try {
      const opened = await open(silence.signal, file);
      checkFile({ name: file.name, contentType: opened.contentType, sizeBytes: opened.sizeBytes }, own);
      const seen = { head: Buffer.alloc(0), sizeBytes: 0 };
      await this.media.write(key, readWithinLimits(opened, own, silence, seen));
      // A channel knows its end-user's file better than the file's server does. A support system detects the types of
      // its agents' files from their bytes.
      const said = hasProviderFiles(of)
        ? [opened.contentType, file.contentType]
        : [file.contentType, opened.contentType];
      return { contentType: detectFileType(seen.head, said), sizeBytes: seen.sizeBytes };
    } catch (error) {
      if (error instanceof ProviderRefusedError && error.gone)
        throw new FileRefusedError(
          'FILE_MISSING',
          "The provider does not have an agent's file that its message names. Ask the agent to send it again.",
        );
      throw error;
    } finally {
      silence.end();
    }
  }

  private async providerFileOpener(organizationId: OrganizationId, { sessionId }: MessageRecord) {
    const { provider, account } = await loadProviderContext(this.deps, organizationId, sessionId);
    if (provider.openFile === undefined) return null;
    return (signal: AbortSignal, file: Attachment) => provider.openFile!(accessOf(this.deps, account), file, signal);
  }

  /**
   * Records the properties of an archived file and removes its source link. False: its message was deleted meanwhile.
   */
  private async recordArchived(
    { organizationId, messageId, index }: FileRef,
    { sessionId, author }: MessageRecord,
    change: Partial<Attachment>,
  ): Promise<boolean> {
    const { result } = await this.deps.stores.sessions.transact(organizationId, sessionId, async tx => {
      const message = await tx.findMessage(messageId);
      const before = message?.deletedAt === null ? message.attachments[index] : undefined;
      if (before === undefined) return false;
      const { refused: _, ...rest } = before;
      const { name, contentType } = { ...rest, ...change };
      // A name without an extension gets that of the detected type.
      const after: Attachment = {
        ...rest,
        ...change,
        name: fitFileName(name, contentType),
        ...(!hasProviderFiles({ author }) && { url: '' }),
      };
      if (JSON.stringify(after) !== JSON.stringify(before))
        await tx.updateMessage(messageId, { attachments: replaceFile(message!.attachments, index, after) });
      return true;
    });
    return result;
  }

  private async findFile({ organizationId, messageId, index }: FileRef): Promise<FileToFetch | null> {
    const message = await this.deps.stores.messages.get(organizationId, messageId);
    const file = message?.deletedAt === null ? message.attachments[index] : undefined;
    return file === undefined ? null : { file, message: message! };
  }
}

/**
 * Yields the bytes as they come. Throws above the limit, or if fewer bytes come than announced. Records the first bytes
 * and the size in `seen`.
 */
async function* readWithinLimits(
  { body, sizeBytes }: OpenedFile,
  { maxBytes }: FileLimits,
  silence: SilenceTimeout,
  seen: { head: Buffer; sizeBytes: number },
): AsyncIterable<Uint8Array> {
  for await (const chunk of body) {
    silence.renew();
    seen.sizeBytes += chunk.length;
    if (seen.sizeBytes > maxBytes) throw fileTooLargeError(maxBytes);
    if (seen.head.length < HEAD_BYTES)
      seen.head = Buffer.concat([seen.head, chunk.subarray(0, HEAD_BYTES - seen.head.length)]);
    yield chunk;
  }
  if (sizeBytes !== null && seen.sizeBytes !== sizeBytes)
    throw new ProviderUnavailableError('A file ended before all announced bytes came. The fetch is retried.');
}

/** Ends a call that has become silent or is no longer needed. */
class SilenceTimeout {
  private readonly silence = new AbortController();
  readonly signal: AbortSignal;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    whole: AbortSignal,
    private readonly silenceMs: number,
  ) {
    this.signal = AbortSignal.any([whole, this.silence.signal]);
    this.renew();
  }

  renew(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(
      () =>
        this.silence.abort(new ProviderUnavailableError('A file sent no bytes for too long. The fetch is retried.')),
      this.silenceMs,
    );
  }

  /** Also closes a response that nobody has read. */
  end(): void {
    clearTimeout(this.timer);
    this.silence.abort();
  }
}
