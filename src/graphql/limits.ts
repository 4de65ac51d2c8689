import {
  type ASTVisitor, type FragmentDefinitionNode, GraphQLError, type SelectionSetNode, type ValidationContext, type ValidationRule,
} from 'graphql';
import { TIME_LIMITS } from '../time-limits';

/** What one caller may ask of us at once; the same over HTTP, WebSocket and SSE. */
export interface GraphqlLimits {
  readonly maxBodyBytes: number;
  /** Validation costs up to the square of it: 5,000 stay within some 100 ms. */
  readonly maxTokens: number;
  /** Nested fields; introspection has graphql-js's own depth rule. */
  readonly maxDepth: number;
  readonly maxAliases: number;
  /** Fields after fragments are spread out, so that a small text cannot ask for a huge answer. */
  readonly maxFields: number;
  /** What an operation may cost by its list sizes, before it is executed; and how many objects a result may have. See cost/estimate.ts. */
  readonly maxCost: number;
  /** Of all `_entities` fields of one operation. A router sends one for each object that it has already: 100 pages of 100 stay below. */
  readonly maxRepresentations: number;
  /** `__schema` and `__type` in one operation. Tools ask once or twice. */
  readonly maxIntrospections: number;
  /** What one result may take of memory, about one for each character. All results under way may take eight times as much. */
  readonly maxResultBytes: number;
  /** One execution: a query, a mutation, the start of a subscription, one event of it. */
  readonly operationMs: number;
  /** In place of it, once a field waits for a provider, which has time limits of its own. */
  readonly providerOperationMs: number;
  /** Operations under way in this process, over all transports; one more is OVERLOADED. Subscriptions count while they start. */
  readonly maxOperations: number;
  readonly maxSubscriptionsPerSocket: number;
  readonly connectionInitTimeoutMs: number;
  readonly pingIntervalMs: number;
  /** How long a subscription waits for a wake-up before it looks by itself. */
  readonly pollMs: number;
  /** How long `stop` waits for sockets to say goodbye. */
  readonly closeGraceMs: number;
}

export const DEFAULT_GRAPHQL_LIMITS: GraphqlLimits = {
  maxBodyBytes: 1024 * 1024,
  maxTokens: 5_000,
  maxDepth: 15,
  maxAliases: 100,
  maxFields: 2_000,
  maxCost: 50_000,
  maxRepresentations: 10_000,
  maxIntrospections: 10,
  maxResultBytes: 16 * 1024 * 1024,
  operationMs: 30_000,
  providerOperationMs: 90_000,
  maxOperations: 256,
  maxSubscriptionsPerSocket: 50,
  connectionInitTimeoutMs: TIME_LIMITS.socket.connectionInitMs,
  pingIntervalMs: TIME_LIMITS.socket.pingMs,
  pollMs: 2_000,
  closeGraceMs: TIME_LIMITS.socket.closeMs,
};

/** Of one alias. It stands in the result once for each object, and is not asked for by any honest caller at such a length. */
const MAX_ALIAS_LENGTH = 100;

interface Size { readonly depth: number; readonly aliases: number; readonly fields: number }

/** Measures each operation once, with every fragment measured once. */
export const operationSizeRule = (limits: GraphqlLimits): ValidationRule => (context: ValidationContext): ASTVisitor => {
  const measured = new Map<string, Size>();
  const open = new Set<string>();

  const fragmentSize = (fragment: FragmentDefinitionNode | null | undefined): Size => {
    const name = fragment?.name.value;
    // A cycle is refused by graphql-js's NoFragmentCycles; here it only must not run forever.
    if (fragment == null || name === undefined || open.has(name)) return { depth: 0, aliases: 0, fields: 0 };
    const known = measured.get(name);
    if (known) return known;
    open.add(name);
    const size = sizeOf(fragment.selectionSet);
    open.delete(name);
    measured.set(name, size);
    return size;
  };

  const sizeOf = (set: SelectionSetNode): Size => {
    let depth = 0, aliases = 0, fields = 0;
    for (const selection of set.selections) {
      let inner: Size = { depth: 0, aliases: 0, fields: 0 };
      if (selection.kind === 'Field') {
        if (selection.selectionSet) inner = sizeOf(selection.selectionSet);
        const isIntrospection = selection.name.value.startsWith('__');
        inner = { depth: isIntrospection ? 1 : inner.depth + 1, aliases: inner.aliases + (selection.alias ? 1 : 0), fields: inner.fields + 1 };
      } else if (selection.kind === 'InlineFragment') {
        inner = sizeOf(selection.selectionSet);
      } else {
        inner = fragmentSize(context.getFragment(selection.name.value));
      }
      depth = Math.max(depth, inner.depth);
      aliases += inner.aliases;
      fields += inner.fields;
    }
    return { depth, aliases, fields };
  };

  return {
    Field({ alias }) {
      if (alias !== undefined && alias.value.length > MAX_ALIAS_LENGTH)
        context.reportError(new GraphQLError(`An alias has ${alias.value.length} characters; at most ${MAX_ALIAS_LENGTH} are allowed. Use a shorter one.`, { nodes: alias, extensions: { limit: 'aliasLength' } }));
    },
    OperationDefinition(operation) {
      const size = sizeOf(operation.selectionSet);
      const refuse = (limit: string, given: number, allowed: number): void => {
        if (given > allowed)
          context.reportError(new GraphQLError(`The operation has ${limit} ${given}; at most ${allowed} are allowed. Ask in smaller parts.`, { nodes: operation, extensions: { limit } }));
      };
      refuse('depth', size.depth, limits.maxDepth);
      refuse('aliases', size.aliases, limits.maxAliases);
      refuse('fields', size.fields, limits.maxFields);
    },
  };
};
