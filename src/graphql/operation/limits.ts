import {
  type ASTVisitor,
  type FragmentDefinitionNode,
  GraphQLError,
  type SelectionSetNode,
  type ValidationContext,
  type ValidationRule,
} from 'graphql';
import { TIME_LIMITS } from '../../time-limits';

/** Limits of operations and connections; the same over HTTP, WebSocket and SSE. */
export interface GraphqlLimits {
  readonly maxBodyBytes: number;
  /** Validation may take time proportional to its square: 5,000 tokens stay within some 100 ms. */
  readonly maxTokens: number;
  /** Nested fields; graphql-js has its own depth rule for introspection. */
  readonly maxDepth: number;
  readonly maxAliases: number;
  /** Fields after fragments are expanded, so that a small document cannot request a huge result. */
  readonly maxFields: number;
  /** Highest estimated cost of an operation (see cost/estimate.ts), and highest number of objects in a result. */
  readonly maxCost: number;
  /**
   * In all `_entities` fields of one operation. A router sends one per object it has already: 100 pages of 100 are
   * allowed.
   */
  readonly maxRepresentations: number;
  /** `__schema` and `__type` in one operation. Tools use one or two. */
  readonly maxIntrospections: number;
  /**
   * Memory of one result, about one byte per character. All results that are not sent yet may take eight times as much.
   */
  readonly maxResultBytes: number;
  /** Deadline of one execution: a query, a mutation, the start of a subscription, or one of its events. */
  readonly operationMs: number;
  /** Replaces `operationMs` once a field waits for a provider, which has time limits of its own. */
  readonly providerOperationMs: number;
  /**
   * Concurrent operations of this process, over all transports; the next one is OVERLOADED. Subscriptions count while
   * they start.
   */
  readonly maxOperations: number;
  readonly maxSubscriptionsPerSocket: number;
  readonly connectionInitTimeoutMs: number;
  readonly pingIntervalMs: number;
  /** Interval at which a subscription reads without a wake-up. */
  readonly pollMs: number;
  /** Maximum time for which `stop` waits for the peers of open sockets to close. */
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

/** The result repeats an alias for each object, and no legitimate caller needs a longer one. */
const MAX_ALIAS_LENGTH = 100;

interface OperationSize {
  readonly depth: number;
  readonly aliases: number;
  readonly fields: number;
}

/** Measures selections. Measures each fragment once. */
class SelectionSizes {
  private readonly measured = new Map<string, OperationSize>();
  private readonly open = new Set<string>();

  constructor(private readonly context: ValidationContext) {}

  of(set: SelectionSetNode): OperationSize {
    let depth = 0,
      aliases = 0,
      fields = 0;
    for (const selection of set.selections) {
      let inner: OperationSize = { depth: 0, aliases: 0, fields: 0 };
      if (selection.kind === 'Field') {
        if (selection.selectionSet) inner = this.of(selection.selectionSet);
        const isIntrospection = selection.name.value.startsWith('__');
        inner = {
          depth: isIntrospection ? 1 : inner.depth + 1,
          aliases: inner.aliases + (selection.alias ? 1 : 0),
          fields: inner.fields + 1,
        };
      } else if (selection.kind === 'InlineFragment') {
        inner = this.of(selection.selectionSet);
      } else {
        inner = this.ofFragment(this.context.getFragment(selection.name.value));
      }
      depth = Math.max(depth, inner.depth);
      aliases += inner.aliases;
      fields += inner.fields;
    }
    return { depth, aliases, fields };
  }

  private ofFragment(fragment: FragmentDefinitionNode | null | undefined): OperationSize {
    const name = fragment?.name.value;
    // graphql-js's NoFragmentCycles refuses a cycle; here the recursion only has to end.
    if (fragment == null || name === undefined || this.open.has(name)) return { depth: 0, aliases: 0, fields: 0 };
    const known = this.measured.get(name);
    if (known) return known;
    this.open.add(name);
    const size = this.of(fragment.selectionSet);
    this.open.delete(name);
    this.measured.set(name, size);
    return size;
  }
}

/** Creates the validation rule that limits an operation's size. */
export const operationSizeRule =
  (limits: GraphqlLimits): ValidationRule =>
  (context: ValidationContext): ASTVisitor => {
    const sizes = new SelectionSizes(context);
    return {
      Field({ alias }) {
        if (alias !== undefined && alias.value.length > MAX_ALIAS_LENGTH)
          context.reportError(
            new GraphQLError(
              `An alias has ${alias.value.length} characters; at most ${MAX_ALIAS_LENGTH} are allowed. Use a shorter one.`,
              { nodes: alias, extensions: { limit: 'aliasLength' } },
            ),
          );
      },
      OperationDefinition(operation) {
        const size = sizes.of(operation.selectionSet);
        const report = (limit: string, given: number, allowed: number): void => {
          if (given > allowed)
            context.reportError(
              new GraphQLError(
                `The operation has ${limit} ${given}; at most ${allowed} are allowed. Split it into smaller operations.`,
                { nodes: operation, extensions: { limit } },
              ),
            );
        };
        report('depth', size.depth, limits.maxDepth);
        report('aliases', size.aliases, limits.maxAliases);
        report('fields', size.fields, limits.maxFields);
      },
    };
  };
