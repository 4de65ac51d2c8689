import type { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import { BodyRefusedError, bodyTooLargeError } from '../core/request-errors';

/** Accepted content encodings. Node 20 has no zstd. */
export const ACCEPTED_ENCODINGS = 'gzip, deflate, br';

/** Size of the parts in which a body is inflated. */
const PART = { chunkSize: 64 * 1024 };

const gunzipper = (): Transform => createGunzip(PART);

/** By `deflate` RFC 9110 means the zlib format, but some clients send raw deflate data. The first bytes decide. */
const inflater = (body: Buffer): Transform =>
  ((body[0] ?? 0) & 0x0f) === 8 && body.length > 1 && body.readUInt16BE(0) % 31 === 0
    ? createInflate(PART)
    : createInflateRaw(PART);

const DECODERS: Readonly<Record<string, (body: Buffer) => Transform>> = {
  gzip: gunzipper,
  'x-gzip': gunzipper,
  deflate: inflater,
  br: () => createBrotliDecompress(PART),
};

/**
 * Inflates a whole body.
 * @param take called with the size of each part before the part is kept; an error from it ends the inflation
 * @throws BodyRefusedError, and any error of `take`
 */
export type Inflate = (body: Buffer, limitBytes: number, take: (bytes: number) => void) => Promise<Buffer>;

/**
 * Chooses the inflation by the `content-encoding`. Called before the body is read.
 * @returns null for a body without encoding
 * @throws BodyRefusedError CONTENT_ENCODING_UNSUPPORTED
 */
export function chooseInflater(header: string | undefined): Inflate | null {
  const encoding = (header ?? '').trim().toLowerCase();
  if (encoding === '' || encoding === 'identity') return null;
  const decoder = Object.hasOwn(DECODERS, encoding) ? DECODERS[encoding] : undefined;
  if (decoder === undefined)
    throw new BodyRefusedError(
      'CONTENT_ENCODING_UNSUPPORTED',
      `The content-encoding of the body is not supported. Send it without one, or with one of ${ACCEPTED_ENCODINGS}.`,
    );
  return async (body, limitBytes, take) => {
    const stream = decoder(body);
    stream.end(body);
    try {
      return await collect(stream, limitBytes, take);
    } catch (error) {
      if (error !== stream.errored) throw error;
      throw new BodyRefusedError(
        'BAD_REQUEST',
        `The body does not match its content-encoding. Encode it as ${encoding}, or omit the header.`,
      );
    }
  };
}

/**
 * Inflates up to the limit. Nothing is inflated ahead of the reads, so a small body that inflates without end costs no
 * more.
 */
async function collect(stream: Transform, limitBytes: number, take: (bytes: number) => void): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of stream as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > limitBytes) throw bodyTooLargeError(limitBytes);
    take(part.length);
    parts.push(part);
  }
  return Buffer.concat(parts, bytes);
}
