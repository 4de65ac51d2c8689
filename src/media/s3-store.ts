import type { S3Client } from '@aws-sdk/client-s3';
import { Readable } from 'node:stream';
import type { MediaStore } from '../core/ports/media-store';
import { validateKey, isKey } from './validate-key';
import { runStoreStep, writeToStore } from './write-to-store';

export interface S3Options {
  readonly bucket: string;
  readonly region: string;
  /** Null: Amazon's endpoint of the region. For another server the bucket is part of the path. */
  readonly endpoint: string | null;
  /** Prefix of every key, e.g. `support/`; may be empty. */
  readonly prefix: string;
  /** Null: the library's default sources (environment, profile, role of the machine or pod). */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | null;
}

/** In milliseconds. `silenceMs`: without a single byte. */
export interface StoreLimits {
  readonly connectMs: number;
  readonly silenceMs: number;
}

/** S3's minimum; one part of a file is in memory at a time. */
const PART_BYTES = 5 * 1024 * 1024;

type Library = typeof import('@aws-sdk/client-s3') & typeof import('@aws-sdk/lib-storage');

/**
 * Stores files in a bucket of Amazon S3 or a compatible server. An object becomes visible when its upload is complete.
 * A crash leaves an invisible incomplete upload, which the bucket's lifecycle rule removes.
 */
export class S3MediaStore implements MediaStore {
  private constructor(
    private readonly options: S3Options,
    private readonly s3: Library,
    private readonly client: S3Client,
  ) {}

  /** Loads the library, which is large. Makes no request. */
  static async open(options: S3Options, limits: StoreLimits): Promise<S3MediaStore> {
    const s3 = { ...(await import('@aws-sdk/client-s3')), ...(await import('@aws-sdk/lib-storage')) };
    const { region, endpoint, credentials } = options;
    const client = new s3.S3Client({
      region,
      ...(endpoint !== null && { endpoint, forcePathStyle: true }),
      // A copy, because the library modifies it.
      ...(credentials !== null && { credentials: { ...credentials } }),
      requestHandler: { connectionTimeout: limits.connectMs, socketTimeout: limits.silenceMs },
      // Other servers support the newer checksums only in their latest versions.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    });
    return new S3MediaStore(options, s3, client);
  }

  async sizeOf(key: string): Promise<number | null> {
    const at = this.at(key);
    const found = await this.nullIfMissing(() => this.client.send(new this.s3.HeadObjectCommand(at)));
    return found?.ContentLength ?? null;
  }

  async read(key: string) {
    const at = this.at(key);
    const found = await this.nullIfMissing(() => this.client.send(new this.s3.GetObjectCommand(at)));
    return found && { body: found.Body as Readable, sizeBytes: found.ContentLength! };
  }

  async write(key: string, body: AsyncIterable<Uint8Array>): Promise<void> {
    const at = this.at(key);
    await writeToStore(body, async watched => {
      const bytes = Readable.from(watched, { objectMode: false });
      try {
        await new this.s3.Upload({
          client: this.client,
          params: { ...at, Body: bytes },
          partSize: PART_BYTES,
          queueSize: 1,
        }).done();
      } finally {
        bytes.destroy();
      }
    });
  }

  async remove(key: string): Promise<void> {
    const at = this.at(key);
    await runStoreStep('removed', () => this.client.send(new this.s3.DeleteObjectCommand(at)));
  }

  async sweep(before: string | null, signal: AbortSignal): Promise<number> {
    if (before === null) return 0;
    const { bucket: Bucket, prefix: Prefix } = this.options;
    return runStoreStep('removed', async () => {
      let removed = 0;
      for (let ContinuationToken: string | undefined; !signal.aborted; ) {
        const page = await this.client.send(new this.s3.ListObjectsV2Command({ Bucket, Prefix, ContinuationToken }));
        for (const { Key, LastModified } of page.Contents ?? []) {
          if (
            signal.aborted ||
            LastModified === undefined ||
            LastModified >= new Date(before) ||
            !isKey(Key!.slice(Prefix.length))
          )
            continue;
          await this.client.send(new this.s3.DeleteObjectCommand({ Bucket, Key }));
          removed += 1;
        }
        ContinuationToken = page.NextContinuationToken;
        if (ContinuationToken === undefined) break;
      }
      return removed;
    });
  }

  close(): void {
    this.client.destroy();
  }

  private at(key: string) {
    return { Bucket: this.options.bucket, Key: this.options.prefix + validateKey(key) };
  }

  /** Returns null if the object does not exist; a missing bucket is an error. */
  private nullIfMissing<T>(ask: () => Promise<T>): Promise<T | null> {
    return runStoreStep('read', () =>
      ask().catch((error: { name?: string }) => {
        if (error.name === 'NoSuchKey' || error.name === 'NotFound') return null;
        throw error;
      }),
    );
  }
}
