import type { DocumentNode, OperationDefinitionNode } from 'graphql';
import { RequestRefusedError } from '../errors';
import type { GraphqlLimits } from '../limits';
import type { CostEstimator } from './estimate';

type CostLimits = Pick<GraphqlLimits, 'maxCost' | 'maxRepresentations' | 'maxIntrospections'>;

/** Refuses an operation before it is executed, by what it would ask for. The same on every transport. */
export class OperationCheck {
  constructor(private readonly estimator: CostEstimator, private readonly limits: CostLimits) {}

  /**
   * Called once for each operation, with the variables as they were given.
   * @param noTenant why the caller has no organization; null: it has one
   * @throws RequestRefusedError OPERATION_TOO_COSTLY | TOO_MANY_REPRESENTATIONS | TOO_MUCH_INTROSPECTION | GRAPHQL_VALIDATION_FAILED
   * @throws the given `noTenant` when the operation needs an organization
   */
  assertMayRun(document: DocumentNode, operation: OperationDefinitionNode, variables: Readonly<Record<string, unknown>>, noTenant: Error | null): void {
    const estimate = this.estimator.estimate(document, operation, variables);
    const { rootFields, tenantFields, representations, introspections } = estimate.tally;
    const { maxCost, maxRepresentations, maxIntrospections } = this.limits;
    if (noTenant !== null && (tenantFields > 0 || operation.operation !== 'query')) throw noTenant;
    if (operation.operation === 'subscription' && rootFields !== 1)
      throw new RequestRefusedError('GRAPHQL_VALIDATION_FAILED', `A subscription must select exactly one field, and ${rootFields} are left after @skip and @include. Select one.`);
    if (representations > maxRepresentations)
      throw new RequestRefusedError('TOO_MANY_REPRESENTATIONS', `The operation asks _entities for ${representations} representations; at most ${maxRepresentations} are allowed over all of its fields. Ask in several operations.`);
    if (introspections > maxIntrospections)
      throw new RequestRefusedError('TOO_MUCH_INTROSPECTION', `The operation has __schema and __type ${introspections} times; at most ${maxIntrospections} are allowed. Ask once and keep the answer.`);
    // Last: it looks at each representation.
    const cost = estimate.cost();
    if (cost > maxCost)
      throw new RequestRefusedError('OPERATION_TOO_COSTLY', `The operation may cost ${cost}; at most ${maxCost} are allowed. Each list multiplies what it contains: ask for fewer items with first, or for fewer nested lists.`);
  }
}
