import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, inflateRaw } from 'node:zlib';
import { BodyRefusedError, bodyTooLarge } from '../core/errors';

/** What a body may be encoded with. Node 20 has no zstd. */
export const ACCEPTED_ENCODINGS = 'gzip, deflate, br';

type Inflate = (body: Buffer, options: { readonly maxOutputLength: number }) => Promise<Buffer>;
const [gunzipped, inflated, rawInflated, brotliDecompressed] = [promisify<Buffer, object, Buffer>(gunzip), promisify<Buffer, object, Buffer>(inflate), promisify<Buffer, object, Buffer>(inflateRaw), promisify<Buffer, object, Buffer>(brotliDecompress)] as readonly [Inflate, Inflate, Inflate, Inflate];

/** RFC 9110 means zlib's format by `deflate`; some clients send what stands inside of it. The first bytes tell. */
const deflated: Inflate = (body, options) => (((body[0] ?? 0) & 0x0f) === 8 && body.length > 1 && body.readUInt16BE(0) % 31 === 0 ? inflated : rawInflated)(body, options);

const INFLATERS: Readonly<Record<string, Inflate>> = {
  gzip: gunzipped, 'x-gzip': gunzipped, deflate: deflated, br: brotliDecompressed,
};

/**
 * Chooses how to inflate a body by its `content-encoding`. Called before a byte of the body is read.
 * @returns null for a body that is sent as it is
 * @throws BodyRefusedError CONTENT_ENCODING_UNSUPPORTED
 */
export function inflaterOf(header: string | undefined): ((body: Buffer, limitBytes: number) => Promise<Buffer>) | null {
  const encoding = (header ?? '').trim().toLowerCase();
  if (encoding === '' || encoding === 'identity') return null;
  const inflater = Object.hasOwn(INFLATERS, encoding) ? INFLATERS[encoding] : undefined;
  if (inflater === undefined)
    throw new BodyRefusedError('CONTENT_ENCODING_UNSUPPORTED', `The body has a content-encoding that this service does not read; send it as it is, or with one of ${ACCEPTED_ENCODINGS}.`);
  return async (body, limitBytes) => {
    try {
      // zlib stops at the limit, so a small body that inflates without end costs no more than that.
      return await inflater(body, { maxOutputLength: limitBytes });
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE') throw bodyTooLarge(limitBytes);
      throw new BodyRefusedError('BAD_REQUEST', `The body is not what its content-encoding says; encode it as ${encoding}, or leave the header out.`);
    }
  };
}
