import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  ApolloServer,
  type ApolloServerPlugin,
  type GraphQLRequestContextDidResolveOperation,
  HeaderMap,
} from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled';
import { type ExecutionArgs, GraphQLError, type GraphQLSchema } from 'graphql';
import type { OperationContext } from '../operation/context';
import { type Log, toPublicError, httpStatusOf } from '../operation/errors';
import { type GraphqlLimits, operationSizeRule } from '../operation/limits';
import { assertNeedsNoStream, type OperationRunner } from './operation-runner';
import { waitForDrain, sent } from './request';

/**
 * Starts Apollo for queries and mutations over HTTP: it reads the request, parses, validates and writes the response.
 * The runner executes, as for every transport. Apollo's per-field plugins are disabled: they take half of all CPU time
 * and nothing here uses them.
 */
export async function startApollo(
  schema: GraphQLSchema,
  runner: OperationRunner,
  limits: GraphqlLimits,
  log: Log,
): Promise<ApolloServer<OperationContext>> {
  // formatError does not get the context of its error; this map provides the request id, set by the preceding hook.
  const requestIds = new WeakMap<object, string>();
  const remember: ApolloServerPlugin<OperationContext> = {
    requestDidStart: async () => ({
      didEncounterErrors: async ({ errors, contextValue }) => {
        for (const error of errors) requestIds.set(error, contextValue.requestId);
      },
    }),
  };
  const ignore = (): void => undefined;
  const apollo = new ApolloServer<OperationContext>({
    schema,
    introspection: true,
    csrfPrevention: true,
    allowBatchedHttpRequests: false,
    persistedQueries: false,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    parseOptions: { maxTokens: limits.maxTokens },
    validationRules: [operationSizeRule(limits)],
    formatError: (_formatted, error) => toPublicError(error, requestIds.get(error as object) ?? '', log).toJSON(),
    logger: {
      debug: ignore,
      info: ignore,
      warn: detail => log({ detail }, 'Apollo warns', 'warn'),
      error: detail => log({ detail }, 'Apollo reports an error'),
    },
    plugins: [
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginInlineTraceDisabled(),
      ApolloServerPluginUsageReportingDisabled(),
      ApolloServerPluginLandingPageDisabled(),
      remember,
      executePlugin(schema, runner, log),
    ],
  });
  await apollo.start();
  return apollo;
}

/** Lets the runner execute, in place of Apollo. */
const executePlugin = (
  schema: GraphQLSchema,
  runner: OperationRunner,
  log: Log,
): ApolloServerPlugin<OperationContext> => ({
  requestDidStart: async () => ({
    didResolveOperation: async request => {
      try {
        assertNeedsNoStream(request.document, request.request.operationName);
        runner.assertMayRun(executionArgsOf(schema, request));
      } catch (error) {
        throw addStatus(error, toPublicError(error, request.contextValue.requestId, log));
      }
    },
    responseForOperation: async request => {
      const { data, ...result } = await runner.executeAdmitted(executionArgsOf(schema, request));
      // Without data, the operation was not executed, or it was stopped.
      const status = data === undefined && result.errors ? httpStatusOf(result.errors[0]!) : undefined;
      return {
        http: { status, headers: new HeaderMap(status === 503 ? [['retry-after', '1']] : []) },
        body: {
          kind: 'single',
          singleResult: {
            ...result,
            errors: result.errors?.map(error => error.toJSON()),
            ...(data !== undefined && { data }),
          },
        },
      };
    },
  }),
});

type Resolved = Pick<
  GraphQLRequestContextDidResolveOperation<OperationContext>,
  'document' | 'request' | 'contextValue'
>;

const executionArgsOf = (schema: GraphQLSchema, { document, request, contextValue }: Resolved): ExecutionArgs => ({
  schema,
  document,
  operationName: request.operationName ?? undefined,
  variableValues: request.variables ?? undefined,
  contextValue,
});

/**
 * Adds the HTTP status, for which Apollo uses 500 by default, and forces JSON even if the client accepts only a stream.
 */
const addStatus = (error: unknown, { message, extensions }: GraphQLError): GraphQLError =>
  new GraphQLError(message, {
    originalError: error as Error,
    extensions: {
      http: {
        status: httpStatusOf(new GraphQLError(message, { extensions })),
        headers: new HeaderMap([['content-type', 'application/json; charset=utf-8']]),
      },
    },
  });

/** Serves a request that was read and identified. Resolves when the response was sent or its reader disconnected. */
export async function serveApollo(
  apollo: ApolloServer<OperationContext>,
  request: IncomingMessage,
  response: ServerResponse,
  body: unknown,
  context: OperationContext,
): Promise<void> {
  const headers = new HeaderMap();
  for (const [name, value] of Object.entries(request.headers))
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  const answer = await apollo.executeHTTPGraphQLRequest({
    httpGraphQLRequest: {
      method: request.method ?? 'GET',
      headers,
      search: new URL(request.url ?? '/', 'http://localhost').search,
      body,
    },
    context: async () => context,
  });
  for (const [name, value] of answer.headers) response.setHeader(name, value);
  response.statusCode = answer.status ?? 200;
  if (answer.body.kind === 'complete') {
    response.end(response.statusCode < 400 ? answer.body.string : addRequestId(answer.body.string, context.requestId));
    return sent(response);
  }
  for await (const part of answer.body.asyncIterator) if (!response.write(part)) await waitForDrain(response);
  response.end();
  await sent(response);
}

/** Adds the request id to errors that Apollo creates before any of our hooks run. */
function addRequestId(text: string, requestId: string): string {
  const body = JSON.parse(text) as { errors?: { extensions?: Record<string, unknown> }[] };
  for (const error of body.errors ?? []) error.extensions = { ...error.extensions, requestId };
  return JSON.stringify(body);
}
