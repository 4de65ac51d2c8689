import type { OperationContext } from './context';

export interface SubscribeArgs<A> {
  readonly args: A;
  readonly context: OperationContext;
}

/** Clears the loaders after each item, so that nested fields of an item do not return data from before it. */
export async function withFreshLoaders<T>(
  context: OperationContext,
  items: Promise<AsyncIterableIterator<T>>,
): Promise<AsyncIterableIterator<T>> {
  const source = await items;
  const refreshed: AsyncIterableIterator<T> = {
    [Symbol.asyncIterator]: () => refreshed,
    next: async () => {
      const item = await source.next();
      context.clearLoaders();
      return item;
    },
    return: () => source.return!(),
    throw: (error: unknown) => source.throw!(error),
  };
  return refreshed;
}
