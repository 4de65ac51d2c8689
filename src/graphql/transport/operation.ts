import {
  createSourceEventStream, type DocumentNode, execute, type ExecutionArgs, type ExecutionResult, getOperationAST, GraphQLError, type GraphQLSchema,
  parse, specifiedRules, validate,
} from 'graphql';
import type { OperationContext } from '../context';
import type { OperationCheck } from '../cost/check';
import { type Log, publicError, RequestRefusedError } from '../errors';
import { meteredFieldResolver } from '../execution/metered';
import type { Workshop } from '../execution/work';
import { type GraphqlLimits, operationSizeRule } from '../limits';
import type { Admission } from './admission';
import { PERSISTED_QUERY_NOT_SUPPORTED } from './refusals';

export interface OperationRequest {
  readonly query?: string | null;
  readonly operationName?: string | null;
  readonly variables?: Readonly<Record<string, unknown>> | null;
  readonly extensions?: Readonly<Record<string, unknown>> | null;
}

export type Results = ExecutionResult | AsyncGenerator<ExecutionResult, void>;

export interface RunnerDeps {
  readonly schema: GraphQLSchema;
  readonly limits: GraphqlLimits;
  readonly check: OperationCheck;
  readonly workshop: Workshop;
  readonly admission: Admission;
  readonly log: Log;
}

/** Runs operations for every transport, so that the same limits, deadlines and errors hold on each. */
export class OperationRunner {
  constructor(private readonly deps: RunnerDeps) {}

  /** Ready to run, or why not. For WebSocket and SSE, which go past Apollo. */
  prepare(request: OperationRequest, context: OperationContext): ExecutionArgs | readonly GraphQLError[] {
    const refused = (errors: readonly GraphQLError[], code: string): readonly GraphQLError[] =>
      errors.map((error) => publicError(withCode(error, code), context.requestId, this.deps.log));
    const { query, variables } = request;
    if (request.extensions?.['persistedQuery']) return [publicError(PERSISTED_QUERY_NOT_SUPPORTED, context.requestId, this.deps.log)];
    if (typeof query !== 'string' || (variables != null && (typeof variables !== 'object' || Array.isArray(variables))))
      return refused([new GraphQLError('query must be a text and variables a JSON object.')], 'BAD_REQUEST');
    let document: DocumentNode;
    try {
      document = parse(query, { maxTokens: this.deps.limits.maxTokens });
    } catch (error) {
      return refused([error as GraphQLError], 'GRAPHQL_PARSE_FAILED');
    }
    const problems = validate(this.deps.schema, document, [...specifiedRules, operationSizeRule(this.deps.limits)]);
    if (problems.length > 0) return refused(problems, 'GRAPHQL_VALIDATION_FAILED');
    const args: ExecutionArgs = { schema: this.deps.schema, document, operationName: request.operationName ?? undefined, variableValues: variables ?? undefined, contextValue: context };
    try {
      this.assertMayRun(args);
    } catch (error) {
      return [publicError(error, context.requestId, this.deps.log)];
    }
    return args;
  }

  /**
   * What is checked once the operation and its variables are known, before it is executed.
   * @throws GraphQLError OPERATION_RESOLUTION_FAILURE
   * @throws SupportError what OperationCheck throws
   */
  assertMayRun({ document, operationName, variableValues, contextValue }: ExecutionArgs): void {
    const operation = getOperationAST(document, operationName);
    if (!operation) throw withCode(new GraphQLError('Name one operation of the document as operationName.'), 'OPERATION_RESOLUTION_FAILURE');
    this.deps.check.assertMayRun(document, operation, variableValues ?? {}, (contextValue as OperationContext).noTenant);
  }

  run(args: ExecutionArgs): Promise<Results> {
    return getOperationAST(args.document, args.operationName)?.operation === 'subscription' ? this.subscribe(args) : this.execute(args);
  }

  readonly execute = async (args: ExecutionArgs): Promise<ExecutionResult> => this.answered(args, () => this.deps.admission.during(() => this.executeOnce(args)));

  /** For who is admitted already. */
  readonly executeAdmitted = async (args: ExecutionArgs): Promise<ExecutionResult> => this.answered(args, () => this.executeOnce(args));

  /** What goes wrong within a stream is its last result, masked as everywhere. */
  readonly subscribe = async (args: ExecutionArgs): Promise<Results> => {
    const started: AsyncIterator<unknown>[] = [];
    const refused = await this.answered(args, () => this.deps.admission.during(async () => {
      const source = await this.openSource(args);
      if (!(Symbol.asyncIterator in source)) return source;
      started.push(source[Symbol.asyncIterator]());
      return {};
    }));
    const [source] = started;
    return source === undefined ? refused : this.results(source, args);
  };

  /** One result for each item of the source, each executed with a deadline of its own. */
  private results(source: AsyncIterator<unknown>, args: ExecutionArgs): AsyncGenerator<ExecutionResult, void> {
    let isOver = false;
    const end = async (): Promise<void> => {
      isOver = true;
      await source.return?.();
    };
    return {
      next: async () => {
        if (isOver) return { done: true, value: undefined };
        try {
          const { done, value } = await source.next();
          return done ? { done, value: undefined } : { done: false, value: await this.executeAdmitted({ ...args, rootValue: value }) };
        } catch (error) {
          isOver = true;
          return { done: false, value: this.masked({ errors: [error as GraphQLError] }, args) };
        }
      },
      return: async () => { await end(); return { done: true, value: undefined }; },
      throw: async (error: unknown) => { await end(); throw error; },
      [Symbol.asyncIterator]() { return this; },
      async [Symbol.asyncDispose]() { await end(); },
    };
  }

  private async openSource(args: ExecutionArgs): Promise<AsyncIterable<unknown> | ExecutionResult> {
    const context = args.contextValue as OperationContext;
    const work = this.deps.workshop.begin();
    work.stopWith(context.gone);
    return work.run(async () => {
      const source = await createSourceEventStream({ ...args, contextValue: context.during(work) });
      // Too late for its subscriber, who was told so: nothing may stay open.
      if (work.isStopped && Symbol.asyncIterator in source) await source[Symbol.asyncIterator]().return?.();
      return source;
    });
  }

  private async executeOnce(args: ExecutionArgs): Promise<ExecutionResult> {
    const context = args.contextValue as OperationContext;
    const work = this.deps.workshop.begin();
    // A mutation is done whole, whoever still waits for its answer.
    if (getOperationAST(args.document, args.operationName)?.operation !== 'mutation') work.stopWith(context.gone);
    try {
      return await work.run(() => execute({ ...args, contextValue: context.during(work), fieldResolver: meteredFieldResolver as never }));
    } finally {
      work.finish();
    }
  }

  /** Its result, or why there is none. */
  private async answered(args: ExecutionArgs, work: () => Promise<ExecutionResult>): Promise<ExecutionResult> {
    try {
      return this.masked(await work(), args);
    } catch (error) {
      return this.masked({ errors: [error as GraphQLError] }, args);
    }
  }

  private masked(result: ExecutionResult, { contextValue }: ExecutionArgs): ExecutionResult {
    if (!result.errors) return result;
    const { requestId } = contextValue as OperationContext;
    return { ...result, errors: result.errors.map((error) => publicError(error, requestId, this.deps.log)) };
  }
}

const withCode = (error: GraphQLError, code: string): GraphQLError =>
  new GraphQLError(error.message, { nodes: error.nodes, source: error.source, positions: error.positions, extensions: { code, ...error.extensions } });

/** @throws RequestRefusedError SUBSCRIPTION_NEEDS_STREAM */
export function assertNeedsNoStream(document: DocumentNode, operationName: string | null | undefined): void {
  if (getOperationAST(document, operationName)?.operation === 'subscription')
    throw new RequestRefusedError('SUBSCRIPTION_NEEDS_STREAM', 'A subscription is not answered by a plain response, by multipart/mixed or by a callback. Send it over WebSocket (subprotocol graphql-transport-ws, path /graphql or /ws), or as server-sent events with the header "accept: text/event-stream".');
}
