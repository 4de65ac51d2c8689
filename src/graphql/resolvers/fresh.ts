import type { OperationContext } from '../context';

export interface Subscribing<A> { readonly args: A; readonly context: OperationContext }

/** Nested fields of each item are read anew. */
export async function fresh<T>(context: OperationContext, items: Promise<AsyncIterableIterator<T>>): Promise<AsyncIterableIterator<T>> {
  const source = await items;
  const refreshed: AsyncIterableIterator<T> = {
    [Symbol.asyncIterator]: () => refreshed,
    next: async () => {
      const item = await source.next();
      context.forgetRead();
      return item;
    },
    return: () => source.return!(),
    throw: (error: unknown) => source.throw!(error),
  };
  return refreshed;
}
