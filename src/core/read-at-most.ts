/** A body was longer than the limit. Its source is closed. */
export class BodyTooLongError extends Error {}

/**
 * Reads a body to its end, or to the first byte beyond the limit. Called for each response of a remote and each
 * decompressed request, so that an endless one costs no more than the limit.
 * @param body closed if it is not read to its end
 * @throws TooManyBytesError, or any error of the body
 */
export async function readAtMost(body: AsyncIterable<Uint8Array> | null, limitBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.length;
    if (size > limitBytes) throw new BodyTooLongError(`The body is longer than ${limitBytes} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
