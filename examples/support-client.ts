import { setTimeout } from 'node:timers/promises';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { print } from 'graphql';
import { createClient, type Client } from 'graphql-ws';
import WebSocket from 'ws';
import type { SupportControl, SupportErrorCode } from './generated/client';

/** One entry of a payload's `userErrors`. Programs switch over `code`; `message` is for readers only. */
export interface UserError {
  readonly code: SupportErrorCode;
  readonly field: string | null;
  readonly message: string;
  /** With CONTROL_LOST: the current control, and the epoch that belongs to it. */
  readonly control: SupportControl | null;
  readonly epoch: number | null;
}

/** The service refused the call; repeating it changes nothing. */
export class RefusedError extends Error {
  constructor(readonly errors: readonly UserError[]) {
    super(
      errors.map(({ code, field, message }) => `${code}${field === null ? '' : ` (${field})`}: ${message}`).join(' '),
    );
    this.name = 'RefusedError';
  }
  get codes(): readonly SupportErrorCode[] {
    return this.errors.map(({ code }) => code);
  }
}

/**
 * Returns a payload without `userErrors`.
 * @throws RefusedError if it has any
 */
export function done<P extends { readonly userErrors: readonly UserError[] }>(payload: P): P {
  if (payload.userErrors.length > 0) throw new RefusedError(payload.userErrors);
  return payload;
}

const refusals = (payload: unknown): readonly UserError[] =>
  (payload as { userErrors?: readonly UserError[] } | null)?.userErrors ?? [];

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
      url: options.url.replace(/^http/, 'ws'),
      webSocketImpl: WebSocket,
      connectionParams: { ...options.headers },
      lazy: true,
      // Reconnects after a replica stops or the network fails. The service keeps what was missed.
      retryAttempts: Infinity,
      shouldRetry: () => true,
    });
  }

  /**
   * Makes one call. Repeats it if its response was lost, the service says `retryable`, or an earlier attempt is still
   * running. Each call carries an idempotency key or is idempotent, so that it takes effect once.
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

  /** Yields a subscription's items. Subscribes again after a lost connection. */
  async *subscribe<Data, Variables extends Record<string, unknown>>(
    document: TypedDocumentNode<Data, Variables>,
    variables: Variables,
  ): AsyncGenerator<Data, void> {
    for await (const { data, errors } of this.socket.iterate<Data>({ query: print(document), variables })) {
      if (errors?.length) throw new Error(errors.map(({ message }) => message).join(' '));
      if (data) yield data;
    }
  }

  async close(): Promise<void> {
    await this.socket.dispose();
  }

  private async attempt<Data>(
    body: string,
  ): Promise<{ readonly data: Data } | { readonly error: Error; readonly isRetryable: boolean }> {
    let answer: {
      data?: Data;
      errors?: readonly { message: string; extensions?: { code?: string; requestId?: string; retryable?: boolean } }[];
    };
    try {
      const response = await fetch(this.options.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...this.options.headers },
        body,
        signal: AbortSignal.timeout(CALL_LIMIT_MS),
      });
      answer = (await response.json()) as typeof answer;
    } catch (error) {
      // No response, or one of a proxy: the outcome is unknown.
      return {
        error: new Error(`No response from ${this.options.url}; check the address and that the service runs.`, {
          cause: error,
        }),
        isRetryable: true,
      };
    }
    const [first] = answer.errors ?? [];
    if (first)
      return {
        error: new Error(`${first.extensions?.code}: ${first.message} (request ${first.extensions?.requestId})`),
        isRetryable: first.extensions?.retryable === true,
      };
    const running = Object.values(answer.data ?? {})
      .flatMap(refusals)
      .filter(({ code }) => code === 'IDEMPOTENCY_IN_PROGRESS');
    if (running.length > 0) return { error: new RefusedError(running), isRetryable: true };
    return { data: answer.data as Data };
  }
}
