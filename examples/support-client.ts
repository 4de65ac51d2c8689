import { setTimeout } from 'node:timers/promises';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { print } from 'graphql';
import { createClient, type Client } from 'graphql-ws';
import WebSocket from 'ws';
import type { SupportControl, SupportErrorCode } from './generated/client';

/** One entry of a payload's `userErrors`: switch over `code`, show `message` to people only. */
export interface UserError {
  readonly code: SupportErrorCode;
  readonly field: string | null;
  readonly message: string;
  /** With CONTROL_LOST: who has control now, and the epoch that goes with it. */
  readonly control: SupportControl | null;
  readonly epoch: number | null;
}

/** The call was understood and not done: repeating it changes nothing. */
export class RefusedError extends Error {
  constructor(readonly errors: readonly UserError[]) {
    super(errors.map(({ code, field, message }) => `${code}${field === null ? '' : ` (${field})`}: ${message}`).join(' '));
    this.name = 'RefusedError';
  }
  get codes(): readonly SupportErrorCode[] { return this.errors.map(({ code }) => code); }
}

/** A payload without `userErrors`, or a RefusedError with them. */
export function done<P extends { readonly userErrors: readonly UserError[] }>(payload: P): P {
  if (payload.userErrors.length > 0) throw new RefusedError(payload.userErrors);
  return payload;
}

const refusals = (payload: unknown): readonly UserError[] => (payload as { userErrors?: readonly UserError[] } | null)?.userErrors ?? [];

export interface SupportClientOptions {
  /** E.g. `http://localhost:4000/graphql`. */
  readonly url: string;
  /** E.g. `{ authorization: 'Bearer <bot key>' }`. */
  readonly headers?: Readonly<Record<string, string>>;
}

const GIVE_UP_AFTER_MS = 30_000;
const CALL_LIMIT_MS = 15_000;

/** The GraphQL client of a bot runtime: typed documents in, typed data out. */
export class SupportClient {
  private readonly socket: Client;

  constructor(private readonly options: SupportClientOptions) {
    this.socket = createClient({
      url: options.url.replace(/^http/, 'ws'), webSocketImpl: WebSocket, connectionParams: { ...options.headers }, lazy: true,
      // A replica that stops, or a cable that breaks: come back. The service holds what was missed.
      retryAttempts: Infinity, shouldRetry: () => true,
    });
  }

  /**
   * One call. When its answer is lost, the service says `retryable`, or an earlier try still runs, the same call is made
   * again: each carries an idempotency key or is idempotent by itself, so that it takes effect once.
   */
  async call<Data, Variables>(document: TypedDocumentNode<Data, Variables>, variables: Variables): Promise<Data> {
    const body = JSON.stringify({ query: print(document), variables });
    const giveUpAt = Date.now() + GIVE_UP_AFTER_MS;
    for (let waitMs = 200; ; waitMs = Math.min(waitMs * 2, 5_000)) {
      const attempt = await this.attempt<Data>(body);
      if ('data' in attempt) return attempt.data;
      if (!attempt.isRetryable || Date.now() + waitMs > giveUpAt) throw attempt.error;
      await setTimeout(waitMs / 2 + Math.random() * (waitMs / 2));
    }
  }

  /** A subscription's items; after a lost connection it subscribes again by itself. */
  async *subscribe<Data, Variables extends Record<string, unknown>>(document: TypedDocumentNode<Data, Variables>, variables: Variables): AsyncGenerator<Data, void> {
    for await (const { data, errors } of this.socket.iterate<Data>({ query: print(document), variables })) {
      if (errors?.length) throw new Error(errors.map(({ message }) => message).join(' '));
      if (data) yield data;
    }
  }

  async close(): Promise<void> { await this.socket.dispose(); }

  private async attempt<Data>(body: string): Promise<{ readonly data: Data } | { readonly error: Error; readonly isRetryable: boolean }> {
    let answer: { data?: Data; errors?: readonly { message: string; extensions?: { code?: string; requestId?: string; retryable?: boolean } }[] };
    try {
      const response = await fetch(this.options.url, {
        method: 'POST', headers: { 'content-type': 'application/json', ...this.options.headers }, body, signal: AbortSignal.timeout(CALL_LIMIT_MS),
      });
      answer = await response.json() as typeof answer;
    } catch (error) {
      // No answer, or not one of ours (a proxy's page): nobody knows what happened.
      return { error: new Error(`No answer from ${this.options.url}.`, { cause: error }), isRetryable: true };
    }
    const [first] = answer.errors ?? [];
    if (first) return { error: new Error(`${first.extensions?.code}: ${first.message} (request ${first.extensions?.requestId})`), isRetryable: first.extensions?.retryable === true };
    const running = Object.values(answer.data ?? {}).flatMap(refusals).filter(({ code }) => code === 'IDEMPOTENCY_IN_PROGRESS');
    if (running.length > 0) return { error: new RefusedError(running), isRetryable: true };
    return { data: answer.data as Data };
  }
}
