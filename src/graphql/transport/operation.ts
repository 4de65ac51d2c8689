import {
  type DocumentNode, execute, type ExecutionArgs, type ExecutionResult, getOperationAST, GraphQLError, type GraphQLSchema, parse,
  specifiedRules, subscribe, validate,
} from 'graphql';
import type { OperationContext } from '../context';
import { type Log, publicError } from '../errors';
import { type GraphqlLimits, operationSizeRule } from '../limits';
import type { Admission } from './admission';

export interface OperationRequest {
  readonly query?: string | null;
  readonly operationName?: string | null;
  readonly variables?: Readonly<Record<string, unknown>> | null;
}

export type Results = ExecutionResult | AsyncGenerator<ExecutionResult, void>;

/** What WebSocket and SSE do for themselves because they go past Apollo: the same limits, the same errors. */
export class OperationRunner {
  constructor(private readonly schema: GraphQLSchema, private readonly limits: GraphqlLimits, private readonly admission: Admission, private readonly log: Log) {}

  /** Ready to run, or why not. */
  prepare(request: OperationRequest, context: OperationContext): ExecutionArgs | readonly GraphQLError[] {
    const refused = (errors: readonly GraphQLError[], code: string): readonly GraphQLError[] =>
      errors.map((error) => publicError(withCode(error, code), context.requestId, this.log));
    const { query, variables } = request;
    if (typeof query !== 'string' || (variables != null && (typeof variables !== 'object' || Array.isArray(variables))))
      return refused([new GraphQLError('query must be a text and variables a JSON object.')], 'BAD_REQUEST');
    let document: DocumentNode;
    try {
      document = parse(query, { maxTokens: this.limits.maxTokens });
    } catch (error) {
      return refused([error as GraphQLError], 'GRAPHQL_PARSE_FAILED');
    }
    const problems = validate(this.schema, document, [...specifiedRules, operationSizeRule(this.limits)]);
    if (problems.length > 0) return refused(problems, 'GRAPHQL_VALIDATION_FAILED');
    if (!getOperationAST(document, request.operationName))
      return refused([new GraphQLError('Name one operation of the document as operationName.')], 'OPERATION_RESOLUTION_FAILURE');
    return { schema: this.schema, document, operationName: request.operationName ?? undefined, variableValues: variables ?? undefined, contextValue: context };
  }

  run(args: ExecutionArgs): Promise<Results> {
    return getOperationAST(args.document, args.operationName)?.operation === 'subscription' ? this.subscribe(args) : this.execute(args);
  }

  readonly execute = async (args: ExecutionArgs): Promise<ExecutionResult> => this.admitted(args, async () => execute(args));

  /** What goes wrong within a stream is its last result, masked as everywhere. */
  readonly subscribe = async (args: ExecutionArgs): Promise<Results> => {
    const started: AsyncGenerator<ExecutionResult, void>[] = [];
    const refused = await this.admitted(args, async () => {
      const source = await subscribe(args);
      if (!(Symbol.asyncIterator in source)) return source;
      started.push(source);
      return {};
    });
    const [source] = started;
    if (source === undefined) return refused;
    let isOver = false;
    const results: AsyncGenerator<ExecutionResult, void> = {
      next: async () => {
        if (isOver) return { done: true, value: undefined };
        try {
          const { done, value } = await source.next();
          return done ? { done, value: undefined } : { done: false, value: this.masked(value, args) };
        } catch (error) {
          isOver = true;
          return { done: false, value: this.masked({ errors: [error as GraphQLError] }, args) };
        }
      },
      return: async () => { isOver = true; await source.return(undefined); return { done: true, value: undefined }; },
      throw: async (error: unknown) => { isOver = true; await source.return(undefined); throw error; },
      [Symbol.asyncIterator]() { return this; },
      async [Symbol.asyncDispose]() { await this.return(); },
    };
    return results;
  };

  /** Its result, or that there are too many. */
  private async admitted(args: ExecutionArgs, work: () => Promise<ExecutionResult>): Promise<ExecutionResult> {
    try {
      return this.masked(await this.admission.during(work), args);
    } catch (error) {
      return this.masked({ errors: [error as GraphQLError] }, args);
    }
  }

  private masked(result: ExecutionResult, { contextValue }: ExecutionArgs): ExecutionResult {
    if (!result.errors) return result;
    const { requestId } = contextValue as OperationContext;
    return { ...result, errors: result.errors.map((error) => publicError(error, requestId, this.log)) };
  }
}

const withCode = (error: GraphQLError, code: string): GraphQLError =>
  new GraphQLError(error.message, { nodes: error.nodes, source: error.source, positions: error.positions, extensions: { code, ...error.extensions } });
