import { allows, type Caller, type OperationKind } from '../../core/caller';
import { AccessError } from '../../core/request-errors';
import type { Scope } from '../../core/flows/api/scope';
import type { Stores } from '../../core/ports/stores';
import { createLoaders, type Loaders } from './loaders';
import type { OperationExecution } from './operation-execution';
import type { LiveSources } from '../live/live-sources';

/** Operations of these kinds may wait for a provider, which has time limits of its own. */
const PROVIDER_OPERATION_KINDS: readonly OperationKind[] = ['SET_UP', 'OPERATE'];

export interface RequestState {
  /**
   * The reason why there is no caller: the gateway proved its identity but named no organization, as for composition.
   */
  readonly tenantError?: AccessError;
  /** Aborted when the caller has disconnected and the result will not be read. */
  readonly disconnected?: AbortSignal;
  /**
   * Calls `work` after the response was sent or its reader disconnected. If omitted, the executor sends results itself.
   */
  readonly whenSent?: (work: () => void) => void;
  /** The execution that this context belongs to; omitted before it begins. */
  readonly execution?: OperationExecution;
}

export interface ContextDeps {
  readonly stores: Stores;
  readonly live: LiveSources;
}

/** The caller, limits and loaders of one operation. */
export class OperationContext {
  // Not `#known`: Apollo passes its hooks and resolvers a copy of the context, created field by field.
  private cachedLoaders: Loaders | undefined;

  constructor(
    private readonly deps: ContextDeps,
    readonly caller: Caller | null,
    readonly requestId: string,
    private readonly more: RequestState = {},
  ) {}

  /** Who its places and its body count for. A gateway's operations without an organization count together. */
  get sender(): string {
    return this.caller?.organizationId ?? '';
  }
  get tenantError(): AccessError | null {
    return this.more.tenantError ?? null;
  }
  get disconnected(): AbortSignal | null {
    return this.more.disconnected ?? null;
  }
  /** Calls `work` after the response was sent or its reader disconnected. */
  whenSent(work: () => void): void {
    if (this.more.whenSent) this.more.whenSent(work);
    else work();
  }
  get execution(): OperationExecution | null {
    return this.more.execution ?? null;
  }

  /** Creates the same caller's context for one execution, with empty loaders. */
  forExecution(work: OperationExecution): OperationContext {
    return new OperationContext(this.deps, this.caller, this.requestId, { ...this.more, execution: work });
  }

  /**
   * Returns the organization to which all reads and writes are limited.
   * @throws AccessError UNAUTHENTICATED | FORBIDDEN
   */
  scope(kind: OperationKind): Scope {
    if (!this.caller)
      throw (
        this.tenantError ??
        new AccessError(
          'UNAUTHENTICATED',
          "The request has no credentials. Send a token, a bot key or the gateway's secret.",
        )
      );
    if (!allows(this.caller.role, kind))
      throw new AccessError('FORBIDDEN', `The role ${this.caller.role} may not do this (${kind}); see docs/errors.md.`);
    if (PROVIDER_OPERATION_KINDS.includes(kind)) this.execution?.waitForProvider();
    return { organizationId: this.caller.organizationId };
  }

  get loaders(): Loaders {
    return (this.cachedLoaders ??= createLoaders(this.deps.stores, this.scope('READ').organizationId, this.execution));
  }

  /**
   * Runs a read of a root field once for equal keys (see `Loaders.alone`), after checking the caller's role.
   * @throws AccessError UNAUTHENTICATED | FORBIDDEN
   */
  async read<T>(kind: OperationKind, key: readonly unknown[], work: (scope: Scope) => Promise<T>): Promise<T> {
    const scope = this.scope(kind);
    return this.loaders.readOnce(key, () => work(scope));
  }

  get live(): LiveSources {
    return this.deps.live;
  }

  /** Drops the loaders, whose data may be stale after a write or a subscription event. */
  clearLoaders(): void {
    this.cachedLoaders = undefined;
  }
}
