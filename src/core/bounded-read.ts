/** More bytes came than were to be read. The source was closed. */
export class TooManyBytesError extends Error {}

/**
 * Reads a body to its end, or to the first byte beyond the limit. Called for each answer of a remote and each inflated request,
 * so that one that never ends costs no more than the limit.
 * @param body closed when it is left early
 * @throws TooManyBytesError, or whatever the body throws
 */
export async function readAtMost(body: AsyncIterable<Uint8Array> | null, limitBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.length;
    if (size > limitBytes) throw new TooManyBytesError(`More than ${limitBytes} bytes came.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
