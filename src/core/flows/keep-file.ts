import type { MediaDelivery } from '../delivery';
import { FileRefusedError, ProviderRefusedError, ProviderUnavailableError } from '../errors';
import { checkFile, keyOfFile, tooLarge, type FileLimits, type FileRef } from '../files';
import type { MessageId, OrganizationId } from '../ids';
import { hasProviderFiles, type Attachment, type MessageRecord } from '../message';
import { instantOf } from '../ports/clock';
import type { MediaStore } from '../ports/media-store';
import type { OpenedFile } from '../ports/support-provider';
import { connect } from './conversation';
import { accessOf, type FlowDeps } from './deps';
import { tellAgents } from './receive-change';

export const KEEPING = {
  /** A message is shown a moment before its files are there: until then "not there" is no answer. */
  appearsWithinMs: 10 * 60_000,
} as const;

/** Times in milliseconds. `tryMs`: one try, from asking for the first byte to having kept the last; `silenceMs`: without a single byte. */
export interface KeepingLimits extends FileLimits { readonly tryMs: number; readonly silenceMs: number }

/** `elsewhere`: everybody may fetch it where it is. `removed`: its author took it back, or there never was one. */
export type Keeping = 'kept' | 'elsewhere' | 'removed';

/**
 * Fetches agents' files into our own store. Any number of callers in any number of processes may want the same file:
 * within one process they share one fetch, and two processes write the same bytes.
 */
export class FileKeeper {
  private readonly underWay = new Map<string, Promise<Keeping>>();
  private readonly stopping = new AbortController();

  /** @param keptMs after how long files are removed; null: when their messages are taken back */
  constructor(private readonly deps: FlowDeps, readonly media: MediaStore, private readonly limits: KeepingLimits, private readonly keptMs: number | null = null) {}

  /**
   * @throws FileRefusedError FILE_MISSING when the provider does not have it (yet), others when it is against our limits
   * @throws MediaStoreError and the provider's errors
   */
  keep(file: FileRef): Promise<Keeping> {
    const key = keyOfFile(file);
    let keeping = this.underWay.get(key);
    if (keeping === undefined) {
      keeping = this.once(file, key).finally(() => this.underWay.delete(key));
      this.underWay.set(key, keeping);
    }
    return keeping;
  }

  /** What a message's author has taken back. Repeatable. */
  async remove(organizationId: OrganizationId, messageId: MessageId): Promise<void> {
    const message = await this.deps.stores.messages.get(organizationId, messageId);
    for (const index of message?.attachments.keys() ?? []) await this.media.remove(keyOfFile({ messageId, index }));
  }

  /** Removes what is too old. Called on a slow timer, by any number of processes. */
  sweep(): Promise<number> {
    const before = this.keptMs === null ? null : instantOf(this.deps.clock.now() - this.keptMs);
    return this.media.sweep(before, this.stopping.signal);
  }

  /** Cuts off what is under way: it is owed, or asked for again. */
  stop(): void { this.stopping.abort(new ProviderUnavailableError('This process is stopping; the file is fetched later.')); }

  private async once(file: FileRef, key: string): Promise<Keeping> {
    const attachment = await this.attachmentOf(file);
    if (attachment === null) return 'removed';
    if (await this.media.sizeOf(key) !== null) return 'kept';
    const { provider, account } = await connect(this.deps, file.organizationId, attachment.of.sessionId);
    if (provider.openFile === undefined) return 'elsewhere';
    checkFile(attachment.file, this.limits);
    const patience = new Patience(AbortSignal.any([this.stopping.signal, AbortSignal.timeout(this.limits.tryMs)]), this.limits.silenceMs);
    try {
      const opened = await provider.openFile(accessOf(this.deps, account), attachment.file, patience.signal);
      checkFile({ name: attachment.file.name, contentType: opened.contentType, sizeBytes: opened.sizeBytes }, this.limits);
      await this.media.write(key, whole(opened, this.limits, patience));
    } catch (error) {
      if (error instanceof ProviderRefusedError && error.gone) throw new FileRefusedError('FILE_MISSING', 'A file of an agent is not where its message says.');
      throw error;
    } finally {
      patience.end();
    }
    // Taken back while it came: who removes the files may have been here before us.
    if (await this.attachmentOf(file) !== null) return 'kept';
    await this.media.remove(key);
    return 'removed';
  }

  private async attachmentOf({ organizationId, messageId, index }: FileRef): Promise<{ readonly file: Attachment; readonly of: MessageRecord } | null> {
    const message = await this.deps.stores.messages.get(organizationId, messageId);
    const file = message != null && hasProviderFiles(message) && message.deletedAt === null ? message.attachments[index] : undefined;
    return file === undefined ? null : { file, of: message! };
  }
}

/** The bytes as they come, within the limit, and all that were announced. */
async function* whole({ body, sizeBytes }: OpenedFile, { maxBytes }: FileLimits, patience: Patience): AsyncIterable<Uint8Array> {
  let size = 0;
  for await (const chunk of body) {
    patience.renew();
    size += chunk.length;
    if (size > maxBytes) throw tooLarge(maxBytes);
    yield chunk;
  }
  if (sizeBytes !== null && size !== sizeBytes) throw new ProviderUnavailableError('A file of an agent came in part only.');
}

/** Ends a call that has gone silent, or that is not wanted any more. */
class Patience {
  private readonly silence = new AbortController();
  readonly signal: AbortSignal;
  private timer: NodeJS.Timeout | undefined;

  constructor(whole: AbortSignal, private readonly silenceMs: number) {
    this.signal = AbortSignal.any([whole, this.silence.signal]);
    this.renew();
  }

  renew(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.silence.abort(new ProviderUnavailableError('A file of an agent stopped coming.')), this.silenceMs);
  }

  /** Also lets go of an answer that nobody has read. */
  end(): void {
    clearTimeout(this.timer);
    this.silence.abort();
  }
}

const WHY: Readonly<Record<string, string>> = {
  FILE_MISSING: 'it was not there to be fetched', FILE_TOO_LARGE: 'it is too large', FILE_TYPE_REFUSED: 'files of its kind are not sent on',
};

/** A file that was given up: the agent should know that the end-user does not have it. Said once for each delivery. */
export async function fileGivenUp({ stores }: FlowDeps, { id, organizationId, sessionId, work }: MediaDelivery, code: string): Promise<void> {
  const once = { organizationId, operation: 'fileGivenUp', key: id, requestDigest: '' };
  await stores.sessions.transact(organizationId, sessionId, async tx => {
    const message = await tx.message(work.messageId);
    const file = work.kind === 'KEEP_FILE' && message?.deletedAt === null ? message.attachments[work.index] : undefined;
    if (work.kind !== 'KEEP_FILE' || file === undefined || message?.providerMessageId == null) return;
    await tellAgents(tx, message.providerMessageId, `the file ${file.name.slice(0, 150)}, because ${WHY[code] ?? 'it could not be fetched'}`, work.index);
  }, once);
}
