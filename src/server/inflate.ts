import type { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import { BodyRefusedError, bodyTooLarge } from '../core/errors';

/** What a body may be encoded with. Node 20 has no zstd. */
export const ACCEPTED_ENCODINGS = 'gzip, deflate, br';

/** Bytes that come out at once. */
const PART = { chunkSize: 64 * 1024 };

const gunzipper = (): Transform => createGunzip(PART);

/** RFC 9110 means zlib's format by `deflate`; some clients send what stands inside of it. The first bytes tell. */
const inflater = (body: Buffer): Transform => (((body[0] ?? 0) & 0x0f) === 8 && body.length > 1 && body.readUInt16BE(0) % 31 === 0 ? createInflate(PART) : createInflateRaw(PART));

const DECODERS: Readonly<Record<string, (body: Buffer) => Transform>> = {
  gzip: gunzipper, 'x-gzip': gunzipper, deflate: inflater, br: () => createBrotliDecompress(PART),
};

/**
 * Inflates a whole body.
 * @param take called before each part of the result is kept, with its bytes; what it throws ends the inflating
 * @throws BodyRefusedError, and what `take` throws
 */
export type Inflate = (body: Buffer, limitBytes: number, take: (bytes: number) => void) => Promise<Buffer>;

/**
 * Chooses how to inflate a body by its `content-encoding`. Called before a byte of the body is read.
 * @returns null for a body that is sent as it is
 * @throws BodyRefusedError CONTENT_ENCODING_UNSUPPORTED
 */
export function inflaterOf(header: string | undefined): Inflate | null {
  const encoding = (header ?? '').trim().toLowerCase();
  if (encoding === '' || encoding === 'identity') return null;
  const decoder = Object.hasOwn(DECODERS, encoding) ? DECODERS[encoding] : undefined;
  if (decoder === undefined)
    throw new BodyRefusedError('CONTENT_ENCODING_UNSUPPORTED', `The body has a content-encoding that this service does not read; send it as it is, or with one of ${ACCEPTED_ENCODINGS}.`);
  return async (body, limitBytes, take) => {
    const stream = decoder(body);
    stream.end(body);
    try {
      return await collect(stream, limitBytes, take);
    } catch (error) {
      if (error !== stream.errored) throw error;
      throw new BodyRefusedError('BAD_REQUEST', `The body is not what its content-encoding says; encode it as ${encoding}, or leave the header out.`);
    }
  };
}

/** A small body that inflates without end costs no more than the limit: nothing is inflated ahead of what is taken. */
async function collect(stream: Transform, limitBytes: number, take: (bytes: number) => void): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of stream as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > limitBytes) throw bodyTooLarge(limitBytes);
    take(part.length);
    parts.push(part);
  }
  return Buffer.concat(parts, bytes);
}
