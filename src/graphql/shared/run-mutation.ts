import type { OperationKind } from '../../core/caller';
import type { Scope } from '../../core/flows/api/scope';
import type { OperationContext } from '../operation/context';
import { toUserError, type UserErrorView } from '../operation/errors';

export interface WithUserErrors {
  readonly userErrors: readonly UserErrorView[];
}

/**
 * Runs a mutation for its caller and creates the payload: the result of `run`, or `nothing` with the error. A flow that
 * succeeded only in part returns its own `userErrors`.
 * @throws AccessError when the caller's role may not do this
 */
export async function runMutation<A extends object, N extends object>(
  context: OperationContext,
  kind: OperationKind,
  nothing: N,
  run: (scope: Scope) => Promise<A>,
): Promise<(A | N) & WithUserErrors> {
  const scope = context.scope(kind);
  context.clearLoaders();
  try {
    return { userErrors: [], ...(await run(scope)) };
  } catch (error) {
    return { ...nothing, userErrors: [toUserError(error)] };
  }
}
