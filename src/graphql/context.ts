import { allows, type Caller, type OperationKind } from '../core/caller';
import { AccessError } from '../core/errors';
import type { Scope } from '../core/flows/api';
import type { Stores } from '../core/ports/stores';
import { createLoaders, type Loaders } from './loaders';
import type { OperationWork } from './execution/work';
import type { LiveSources } from './live/follow';

/** Calls of these kinds may wait for a provider, within time limits of their own. */
const WAIT_FOR_PROVIDERS: readonly OperationKind[] = ['SET_UP', 'OPERATE'];

export interface Circumstances {
  /** Why there is no caller: the gateway has proved who it is and named no organization, as for composition. */
  readonly noTenant?: AccessError;
  /** Aborted when the caller has left and nobody will read the result. */
  readonly gone?: AbortSignal;
  /** Calls `work` once the response was sent or its reader is gone; if omitted, results are sent by who executes them. */
  readonly whenSent?: (work: () => void) => void;
  /** The execution that this is the context of; left out before there is one. */
  readonly work?: OperationWork;
}

export interface ContextDeps { readonly stores: Stores; readonly live: LiveSources }

/** What one operation knows. */
export class OperationContext {
  // Not `#known`: Apollo hands its hooks and resolvers a copy of the context, made field by field.
  private known: Loaders | undefined;

  constructor(private readonly deps: ContextDeps, readonly caller: Caller | null, readonly requestId: string, private readonly more: Circumstances = {}) {}

  /** Who its places and its body count for. A gateway's operations without an organization count together. */
  get sender(): string { return this.caller?.organizationId ?? ''; }
  get noTenant(): AccessError | null { return this.more.noTenant ?? null; }
  get gone(): AbortSignal | null { return this.more.gone ?? null; }
  /** Calls `work` once the response was sent or its reader is gone. */
  whenSent(work: () => void): void {
    if (this.more.whenSent) this.more.whenSent(work);
    else work();
  }
  get work(): OperationWork | null { return this.more.work ?? null; }

  /** The same caller's context for one execution, with nothing read yet. */
  during(work: OperationWork): OperationContext { return new OperationContext(this.deps, this.caller, this.requestId, { ...this.more, work }); }

  /**
   * The organization that everything is scoped by.
   * @throws AccessError UNAUTHENTICATED | FORBIDDEN
   */
  scope(kind: OperationKind): Scope {
    if (!this.caller) throw this.noTenant ?? new AccessError('UNAUTHENTICATED', 'Say who you are: send a token, a bot key or the gateway\'s secret.');
    if (!allows(this.caller.role, kind))
      throw new AccessError('FORBIDDEN', `The role ${this.caller.role} may not do this (${kind}); see docs/errors.md.`);
    if (WAIT_FOR_PROVIDERS.includes(kind)) this.work?.waitForProvider();
    return { organizationId: this.caller.organizationId };
  }

  get loaders(): Loaders { return (this.known ??= createLoaders(this.deps.stores, this.scope('READ').organizationId, this.work)); }

  /**
   * A read of its own for a field of the root: as `Loaders.alone`, after the check of the caller's role.
   * @throws AccessError UNAUTHENTICATED | FORBIDDEN
   */
  async read<T>(kind: OperationKind, key: readonly unknown[], work: (scope: Scope) => Promise<T>): Promise<T> {
    const scope = this.scope(kind);
    return this.loaders.alone(key, () => work(scope));
  }

  get live(): LiveSources { return this.deps.live; }

  /** What was read before a write, or before a subscription's last event, may be stale. */
  forgetRead(): void { this.known = undefined; }
}
