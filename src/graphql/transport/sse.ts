import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ExecutionResult, getOperationAST } from 'graphql';
import type { OperationContext } from '../operation/context';
import { RequestRefusedError } from '../operation/errors';
import type { GraphqlLimits } from '../operation/limits';
import type { OperationRequest, OperationRunner } from './operation-runner';
import { waitForDrain } from './request';

export const wantsEventStream = (request: IncomingMessage): boolean =>
  /^\s*text\/event-stream\b/i.test(request.headers.accept ?? '');

/**
 * Serves the GraphQL over SSE protocol (graphql-sse's PROTOCOL.md) with distinct connections: one request, one
 * operation, one stream. Not graphql-sse's own server, because that one buffers items which a slow client has not read.
 * This one asks its source for the next item only after the last one was sent.
 */
export class SseServer {
  readonly #streams = new Set<AsyncGenerator<ExecutionResult, void>>();

  constructor(
    private readonly runner: OperationRunner,
    private readonly limits: GraphqlLimits,
  ) {}

  /** @throws RequestRefusedError METHOD_NOT_ALLOWED for a mutation by GET */
  async serve(
    request: IncomingMessage,
    response: ServerResponse,
    operation: OperationRequest,
    context: OperationContext,
  ): Promise<void> {
    const prepared = await this.runner.prepare(operation, context);
    if (
      'schema' in prepared &&
      request.method === 'GET' &&
      getOperationAST(prepared.document, prepared.operationName)?.operation === 'mutation'
    ) {
      prepared.leave();
      throw new RequestRefusedError('METHOD_NOT_ALLOWED', 'A mutation was sent by GET. Send it by POST.');
    }
    const result = 'schema' in prepared ? await this.runner.run(prepared) : { errors: prepared };

    // A ping is a write; the timeout ends a stream whose peer has read nothing for two intervals.
    response.setTimeout(2 * this.limits.pingIntervalMs, () => response.destroy());
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
      connection: 'keep-alive',
      'x-accel-buffering': 'no',
    });
    // Some clients consider the stream open only after a first byte.
    response.write(':\n\n');
    if (Symbol.asyncIterator in result) await this.stream(response, result);
    else response.write(eventOf('next', result));
    response.end(eventOf('complete'));
  }

  /** Ends every stream; clients reconnect with their cursors. */
  async stop(): Promise<void> {
    await Promise.all([...this.#streams].map(stream => stream.return()));
  }

  private async stream(response: ServerResponse, results: AsyncGenerator<ExecutionResult, void>): Promise<void> {
    const leave = (): void => {
      void results.return();
    };
    const pinger = setInterval(() => {
      if (!response.writableNeedDrain) response.write(':\n\n');
    }, this.limits.pingIntervalMs);
    this.#streams.add(results);
    response.once('close', leave);
    if (response.destroyed) leave();
    try {
      for await (const result of results) if (!response.write(eventOf('next', result))) await waitForDrain(response);
    } finally {
      clearInterval(pinger);
      this.#streams.delete(results);
      response.off('close', leave);
    }
  }
}

const eventOf = (name: 'next' | 'complete', data?: object): string =>
  `event: ${name}\ndata: ${data ? JSON.stringify(data) : ''}\n\n`;
