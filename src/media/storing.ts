import { MediaStoreError } from '../core/errors';

/** Runs one step of a store; what goes wrong is named without what people said. */
export async function ofStore<T>(what: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (cause) {
    const { code, name, $metadata } = cause as { code?: unknown; name?: unknown; $metadata?: { httpStatusCode?: number } };
    const why = [code ?? name, $metadata?.httpStatusCode].filter(part => part !== undefined).join(', ');
    throw new MediaStoreError(`Files cannot be ${what} now (${why}).`, { cause });
  }
}

/** Runs a write. When reading the body threw, that is what is thrown, whatever the store made of it. */
export async function storing(body: AsyncIterable<Uint8Array>, write: (body: AsyncIterable<Uint8Array>) => Promise<unknown>): Promise<void> {
  let broken: { readonly error: unknown } | undefined;
  async function* watched(): AsyncIterable<Uint8Array> {
    try {
      yield* body;
    } catch (error) {
      broken = { error };
      throw error;
    }
  }
  try {
    await ofStore('kept', () => write(watched()));
  } catch (error) {
    throw broken === undefined ? error : broken.error;
  }
}
