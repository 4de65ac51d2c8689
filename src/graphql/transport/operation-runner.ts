import {
  createSourceEventStream,
  type DocumentNode,
  execute,
  type ExecutionArgs,
  type ExecutionResult,
  getOperationAST,
  GraphQLError,
  type GraphQLSchema,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import type { ConcurrencyLimiter } from '../../core/concurrency-limiter';
import type { OperationContext } from '../operation/context';
import type { OperationCheck } from '../cost/operation-check';
import { type Log, toPublicError, RequestRefusedError } from '../operation/errors';
import { meteredFieldResolver } from '../operation/meter-resolvers';
import type { ExecutionBudget } from '../operation/operation-execution';
import { type GraphqlLimits, operationSizeRule } from '../operation/limits';
import { PERSISTED_QUERY_NOT_SUPPORTED } from './refusals';
import { type CountedResult, resultStream, singleResult } from './result-stream';

export interface OperationRequest {
  readonly query?: string | null;
  readonly operationName?: string | null;
  readonly variables?: Readonly<Record<string, unknown>> | null;
  readonly extensions?: Readonly<Record<string, unknown>> | null;
}

/** The arguments of an operation that has a permit. */
export interface AdmittedArgs extends ExecutionArgs {
  /** Releases the permit. Repeatable. */
  readonly leave: () => void;
}

/**
 * An error result, or a stream of results. A single result is also a stream, so that its transport reports when it was
 * sent.
 */
export type OperationResult = ExecutionResult | AsyncGenerator<ExecutionResult, void>;

export interface RunnerDeps {
  readonly schema: GraphQLSchema;
  readonly limits: GraphqlLimits;
  readonly check: OperationCheck;
  readonly budget: ExecutionBudget;
  /**
   * Over all transports. What is over the mark is refused before it is parsed, so that a crowd costs neither memory nor
   * the ones that are inside.
   */
  readonly places: ConcurrencyLimiter;
  readonly log: Log;
}

/** Parsing and validating this many characters takes at most about as long as one field of a result. */
const CHARACTERS_PER_FIELD = 10;

const nothing = (): void => undefined;

/** Runs operations for all transports, so that the same limits, deadlines and errors apply to each. */
export class OperationRunner {
  constructor(private readonly deps: RunnerDeps) {}

  /**
   * Acquires a permit and checks the operation. Returns its arguments, or the errors that refuse it. For WebSocket and
   * SSE, which bypass Apollo. The caller must run the returned arguments, because that releases the permit.
   */
  async prepare(request: OperationRequest, context: OperationContext): Promise<AdmittedArgs | readonly GraphQLError[]> {
    let leave: () => void;
    try {
      leave = this.deps.places.acquire(context.sender);
    } catch (error) {
      return [toPublicError(error, context.requestId, this.deps.log)];
    }
    let isReady = false;
    try {
      // A socket may send many documents at once, and each is parsed and validated synchronously.
      const line = this.deps.budget.line();
      if (line.mustWait) await line.nextSlot();
      if (typeof request.query === 'string') line.count(Math.ceil(request.query.length / CHARACTERS_PER_FIELD));
      const parsed = this.parsed(request, context);
      isReady = 'schema' in parsed;
      return 'schema' in parsed ? { ...parsed, leave } : parsed;
    } finally {
      if (!isReady) leave();
    }
  }

  private parsed(request: OperationRequest, context: OperationContext): ExecutionArgs | readonly GraphQLError[] {
    const refused = (errors: readonly GraphQLError[], code: string): readonly GraphQLError[] =>
      errors.map(error => toPublicError(addCode(error, code), context.requestId, this.deps.log));
    const { query, variables } = request;
    if (request.extensions?.['persistedQuery'])
      return [toPublicError(PERSISTED_QUERY_NOT_SUPPORTED, context.requestId, this.deps.log)];
    if (typeof query !== 'string' || (variables != null && (typeof variables !== 'object' || Array.isArray(variables))))
      return refused(
        [new GraphQLError('The request has no valid operation: query must be a string and variables a JSON object.')],
        'BAD_REQUEST',
      );
    let document: DocumentNode;
    try {
      document = parse(query, { maxTokens: this.deps.limits.maxTokens });
    } catch (error) {
      return refused([error as GraphQLError], 'GRAPHQL_PARSE_FAILED');
    }
    const problems = validate(this.deps.schema, document, [...specifiedRules, operationSizeRule(this.deps.limits)]);
    if (problems.length > 0) return refused(problems, 'GRAPHQL_VALIDATION_FAILED');
    const args: ExecutionArgs = {
      schema: this.deps.schema,
      document,
      operationName: request.operationName ?? undefined,
      variableValues: variables ?? undefined,
      contextValue: context,
    };
    try {
      this.assertMayRun(args);
    } catch (error) {
      return [toPublicError(error, context.requestId, this.deps.log)];
    }
    return args;
  }

  /**
   * Checks an operation once its variables are known and before it is executed.
   * @throws GraphQLError OPERATION_RESOLUTION_FAILURE
   * @throws SupportError as OperationCheck does
   */
  assertMayRun({ document, operationName, variableValues, contextValue }: ExecutionArgs): void {
    const operation = getOperationAST(document, operationName);
    if (!operation)
      throw addCode(
        new GraphQLError('No operation of the document is selected. Give the name of one as operationName.'),
        'OPERATION_RESOLUTION_FAILURE',
      );
    this.deps.check.assertMayRun(
      document,
      operation,
      variableValues ?? {},
      (contextValue as OperationContext).tenantError,
    );
  }

  run(args: AdmittedArgs): Promise<OperationResult> {
    return getOperationAST(args.document, args.operationName)?.operation === 'subscription'
      ? this.subscribe(args)
      : this.execute(args);
  }

  /** Executes a query or mutation. Its permit and its bytes are released when the result was sent. */
  readonly execute = async (args: AdmittedArgs): Promise<OperationResult> => {
    const { result, release } = await this.runBounded(args, () => this.executeOnce(args));
    const { disconnected } = args.contextValue as OperationContext;
    return singleResult(
      {
        result,
        release: () => {
          release();
          args.leave();
        },
      },
      disconnected,
    );
  };

  /** Executes for HTTP, where the request has the permit until its response was sent. */
  readonly executeAdmitted = async (args: ExecutionArgs): Promise<ExecutionResult> => {
    const { result, release } = await this.runBounded(args, () => this.executeOnce(args));
    (args.contextValue as OperationContext).whenSent(release);
    return result;
  };

  /**
   * Starts a subscription; it has a permit until it has started. An error within the stream is its last result, masked
   * like any other.
   */
  readonly subscribe = async (args: AdmittedArgs): Promise<OperationResult> => {
    const started: AsyncIterator<unknown>[] = [];
    try {
      const { result } = await this.runBounded(args, async () => {
        const source = await this.openSource(args);
        if (!(Symbol.asyncIterator in source)) return { result: source, release: nothing };
        started.push(source[Symbol.asyncIterator]());
        return { result: {}, release: nothing };
      });
      const [source] = started;
      return source === undefined ? result : this.streamResults(source, args);
    } finally {
      args.leave();
    }
  };

  /** Yields one result for each item of the source, each executed with its own deadline. */
  private streamResults(source: AsyncIterator<unknown>, args: ExecutionArgs): AsyncGenerator<ExecutionResult, void> {
    let hasFailed = false;
    const next = async (): Promise<CountedResult | null> => {
      if (hasFailed) return null;
      try {
        const { done, value } = await source.next();
        return done ? null : await this.runBounded(args, () => this.executeOnce({ ...args, rootValue: value }));
      } catch (error) {
        hasFailed = true;
        return { result: this.maskErrors({ errors: [error as GraphQLError] }, args), release: nothing };
      }
    };
    return resultStream(
      {
        next,
        close: async () => {
          await source.return?.();
        },
      },
      (args.contextValue as OperationContext).disconnected,
    );
  }

  private async openSource(args: ExecutionArgs): Promise<AsyncIterable<unknown> | ExecutionResult> {
    const context = args.contextValue as OperationContext;
    const work = this.deps.budget.begin();
    work.stopWith(context.disconnected);
    try {
      return await work.run(async () => {
        const source = await createSourceEventStream({ ...args, contextValue: context.forExecution(work) });
        // The subscriber got an error already, so nothing may stay open.
        if (work.isStopped && Symbol.asyncIterator in source) await source[Symbol.asyncIterator]().return?.();
        return source;
      });
    } finally {
      work.release();
    }
  }

  /** Executes once. The bytes of the result are counted until `release`. */
  private async executeOnce(args: ExecutionArgs): Promise<CountedResult> {
    const context = args.contextValue as OperationContext;
    const work = this.deps.budget.begin();
    // A mutation is always executed completely, even if its caller disconnects.
    if (getOperationAST(args.document, args.operationName)?.operation !== 'mutation')
      work.stopWith(context.disconnected);
    try {
      const result = await work.run(() =>
        execute({ ...args, contextValue: context.forExecution(work), fieldResolver: meteredFieldResolver as never }),
      );
      work.finish();
      return { result, release: () => work.release() };
    } catch (error) {
      work.release();
      throw error;
    }
  }

  /** Runs `work` and masks its errors. Never rejects: an error becomes the result. */
  private async runBounded(args: ExecutionArgs, work: () => Promise<CountedResult>): Promise<CountedResult> {
    try {
      const { result, release } = await work();
      return { result: this.maskErrors(result, args), release };
    } catch (error) {
      return { result: this.maskErrors({ errors: [error as GraphQLError] }, args), release: nothing };
    }
  }

  private maskErrors(result: ExecutionResult, { contextValue }: ExecutionArgs): ExecutionResult {
    if (!result.errors) return result;
    const { requestId } = contextValue as OperationContext;
    return { ...result, errors: result.errors.map(error => toPublicError(error, requestId, this.deps.log)) };
  }
}

const addCode = (error: GraphQLError, code: string): GraphQLError =>
  new GraphQLError(error.message, {
    nodes: error.nodes,
    source: error.source,
    positions: error.positions,
    extensions: { code, ...error.extensions },
  });

/** @throws RequestRefusedError SUBSCRIPTION_NEEDS_STREAM */
export function assertNeedsNoStream(document: DocumentNode, operationName: string | null | undefined): void {
  if (getOperationAST(document, operationName)?.operation === 'subscription')
    throw new RequestRefusedError(
      'SUBSCRIPTION_NEEDS_STREAM',
      'A subscription cannot be answered with a plain response, multipart/mixed or a callback. Send it over WebSocket (subprotocol graphql-transport-ws, path /graphql or /ws), or as server-sent events with the header "accept: text/event-stream".',
    );
}
