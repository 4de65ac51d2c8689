import type { DocumentNode, OperationDefinitionNode } from 'graphql';
import { RequestRefusedError } from '../operation/errors';
import type { GraphqlLimits } from '../operation/limits';
import type { CostEstimator } from './cost-estimator';

type CostLimits = Pick<GraphqlLimits, 'maxCost' | 'maxRepresentations' | 'maxIntrospections'>;

/** Refuses an operation before execution by its estimated cost. The same on every transport. */
export class OperationCheck {
  constructor(
    private readonly estimator: CostEstimator,
    private readonly limits: CostLimits,
  ) {}

  /**
   * Called once for each operation, with the variables as the caller gave them.
   * @param tenantError why the caller has no organization; null if it has one
   * @throws RequestRefusedError OPERATION_TOO_COSTLY | TOO_MANY_REPRESENTATIONS | TOO_MUCH_INTROSPECTION |
   * GRAPHQL_VALIDATION_FAILED
   * @throws the given `noTenant` if the operation needs an organization
   */
  assertMayRun(
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Readonly<Record<string, unknown>>,
    tenantError: Error | null,
  ): void {
    const estimate = this.estimator.estimate(document, operation, variables);
    const { rootFields, tenantFields, representations, introspections } = estimate.counts;
    const { maxCost, maxRepresentations, maxIntrospections } = this.limits;
    if (tenantError !== null && (tenantFields > 0 || operation.operation !== 'query')) throw tenantError;
    if (operation.operation === 'subscription' && rootFields !== 1)
      throw new RequestRefusedError(
        'GRAPHQL_VALIDATION_FAILED',
        `A subscription must select exactly one field, and ${rootFields} are left after @skip and @include. Select one.`,
      );
    if (representations > maxRepresentations)
      throw new RequestRefusedError(
        'TOO_MANY_REPRESENTATIONS',
        `The operation asks _entities for ${representations} representations; at most ${maxRepresentations} are allowed over all of its fields. Split it into several operations.`,
      );
    if (introspections > maxIntrospections)
      throw new RequestRefusedError(
        'TOO_MUCH_INTROSPECTION',
        `The operation has __schema and __type ${introspections} times; at most ${maxIntrospections} are allowed. Query the schema once and store the result.`,
      );
    // Last, because it visits each representation.
    const cost = estimate.cost();
    if (cost > maxCost)
      throw new RequestRefusedError(
        'OPERATION_TOO_COSTLY',
        `The operation may cost ${cost}; at most ${maxCost} are allowed. Each list multiplies what it contains: ask for fewer items with first, or for fewer nested lists.`,
      );
  }
}
