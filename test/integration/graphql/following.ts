import { createClient as createSseClient } from 'graphql-sse';
import { type Client, createClient as createWsClient } from 'graphql-ws';
import WebSocket from 'ws';

/** Just under jest's own limit, so that a failure shows what had arrived. */
const LIMIT_MS = 290_000;

/** The results of a subscriber so far. */
export interface Following {
  readonly results: any[];
  /** Waits until `enough` returns true for the results. */
  until(enough: (results: any[]) => boolean): Promise<any[]>;
  /** Resolves when the server has ended it, with the error if there was one. */
  readonly ended: Promise<unknown>;
  leave(): Promise<void>;
}

type Subscribe = (query: string, variables?: Record<string, unknown>) => Following;

function following(
  subscribe: (sink: { next(result: unknown): void; error(error: unknown): void; complete(): void }) => () => void,
  close: () => unknown,
): Following {
  const results: any[] = [];
  let wake: () => void = () => undefined;
  let unsubscribe: () => void = () => undefined;
  const ended = new Promise<unknown>(resolve => {
    const end = (error?: unknown): void => {
      resolve(error);
      wake();
    };
    unsubscribe = subscribe({
      next: result => {
        results.push(result);
        wake();
      },
      error: end,
      complete: end,
    });
  });
  return {
    results,
    ended,
    async until(enough) {
      for (const deadline = Date.now() + LIMIT_MS; !enough(results); ) {
        if (Date.now() > deadline) throw new Error(`Waited in vain; so far: ${JSON.stringify(results)}`);
        await new Promise<void>(resolve => {
          wake = resolve;
          setTimeout(resolve, 100);
        });
      }
      return results;
    },
    async leave() {
      unsubscribe();
      await close();
    },
  };
}

export const wsClient = (url: string, connectionParams: Record<string, unknown>): Client =>
  createWsClient({ url, connectionParams, webSocketImpl: WebSocket, retryAttempts: 0, lazy: true });

export const overWebSocket =
  (url: string, as: Record<string, string>): Subscribe =>
  (query, variables) => {
    const client = wsClient(url.replace('http', 'ws'), as);
    return following(
      sink => client.subscribe({ query, variables }, sink),
      () => client.dispose(),
    );
  };

/** With graphql-sse's own client, to test its protocol. */
export const overSse =
  (url: string, as: Record<string, string>): Subscribe =>
  (query, variables) => {
    const client = createSseClient({ url, headers: as, retryAttempts: 0, singleConnection: false });
    return following(
      sink => client.subscribe({ query, variables }, sink),
      () => {
        client.dispose();
      },
    );
  };

/** As EventSource and some gateways request it: by GET. */
export const overSseByGet =
  (url: string, as: Record<string, string>): Subscribe =>
  (query, variables = {}) => {
    const leaving = new AbortController();
    return following(
      sink => {
        void (async () => {
          const search = new URLSearchParams({ query, variables: JSON.stringify(variables) });
          const response = await fetch(`${url}?${search}`, {
            headers: { accept: 'text/event-stream', ...as },
            signal: leaving.signal,
          });
          let text = '';
          for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
            text += Buffer.from(part).toString();
            const events = text.split('\n\n');
            text = events.pop()!;
            for (const event of events) {
              const [, name, data] = /^event: (\w+)\ndata: ?(.*)$/s.exec(event) ?? [];
              if (name === 'next') sink.next(JSON.parse(data!));
              if (name === 'complete') sink.complete();
            }
          }
          sink.error(new Error(`The stream ended without "complete" (${response.status}).`));
        })().catch(sink.error);
        return () => leaving.abort();
      },
      () => undefined,
    );
  };
