import { MediaStoreError } from '../core/file-errors';

/** Runs a step of a store. Its errors contain no message text. */
export async function runStoreStep<T>(what: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (cause) {
    const { code, name, $metadata } = cause as {
      code?: unknown;
      name?: unknown;
      $metadata?: { httpStatusCode?: number };
    };
    const why = [code ?? name, $metadata?.httpStatusCode].filter(part => part !== undefined).join(', ');
    throw new MediaStoreError(`Files cannot be ${what} now (${why}). Check the media folder or bucket.`, { cause });
  }
}

/** Runs a write to a store. If reading the body fails, throws that error instead of the store's. */
export async function writeToStore(
  body: AsyncIterable<Uint8Array>,
  write: (body: AsyncIterable<Uint8Array>) => Promise<unknown>,
): Promise<void> {
  let broken: { readonly error: unknown } | undefined;
  async function* watchErrors(): AsyncIterable<Uint8Array> {
    try {
      yield* body;
    } catch (error) {
      broken = { error };
      throw error;
    }
  }
  try {
    await runStoreStep('kept', () => write(watchErrors()));
  } catch (error) {
    throw broken === undefined ? error : broken.error;
  }
}
