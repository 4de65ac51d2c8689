import type { ExecutionResult } from 'graphql';

/** A result whose memory, and perhaps permit, are taken until it was sent. */
export interface CountedResult {
  readonly result: ExecutionResult;
  /** Releases the memory and the permit. Repeatable. */
  release(): void;
}

export interface ResultSource {
  /** Called for one result after another; null: there are no more. */
  next(): Promise<CountedResult | null>;
  /** Called when the reader wants no more results, perhaps during `next`. */
  close(): Promise<void> | void;
}

/**
 * The results of one operation for a transport that asks for the next one only when the last was sent. What a result
 * takes
 * is given back then, or when the reader is gone, which also closes the source. A reader who only says that it wants no
 * more may still have it to take.
 */
export function resultStream(source: ResultSource, gone: AbortSignal | null): AsyncGenerator<ExecutionResult, void> {
  const settled = new AbortController();
  let unsent: (() => void) | null = null;
  let isOver = false;
  const release = (): void => {
    unsent?.();
    unsent = null;
    if (isOver) settled.abort();
  };
  const end = async (): Promise<void> => {
    isOver = true;
    if (unsent === null) settled.abort();
    await source.close();
  };
  // Not left to the transport: graphql-ws loses sight of a stream when its id is used again while an older operation
  // still has it.
  const leave = (): void => {
    release();
    end().catch(() => undefined);
  };
  if (gone?.aborted) leave();
  else gone?.addEventListener('abort', leave, { signal: settled.signal });
  return {
    next: async () => {
      release();
      const counted = isOver ? null : await source.next();
      if (counted === null) {
        isOver = true;
        release();
        return { done: true, value: undefined };
      }
      unsent = () => counted.release();
      if (gone?.aborted) release();
      return { done: false, value: counted.result };
    },
    return: async () => {
      await end();
      return { done: true, value: undefined };
    },
    throw: async (error: unknown) => {
      await end();
      throw error;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
    async [Symbol.asyncDispose]() {
      await end();
    },
  };
}

/** Streams a single result. */
export function singleResult(counted: CountedResult, gone: AbortSignal | null): AsyncGenerator<ExecutionResult, void> {
  let left: CountedResult | null = counted;
  return resultStream(
    {
      next: async () => {
        const taken = left;
        left = null;
        return taken;
      },
      close: () => {
        left?.release();
        left = null;
      },
    },
    gone,
  );
}
