import { type GraphQLSchema, parse } from 'graphql';
import { ConcurrencyLimiter } from '../../core/concurrency-limiter';
import { OperationCheck } from '../cost/operation-check';
import { CostEstimator } from '../cost/cost-estimator';
import { FieldCosts } from '../cost/field-costs';
import type { Log } from '../operation/errors';
import { ExecutionBudget } from '../operation/operation-execution';
import { printSubgraphSchema } from '../federation';
import type { GraphqlLimits } from '../operation/limits';
import { OperationRunner } from './operation-runner';

/** Of the operations under way, over all transports, of one organization. */
const SHARE_OF_ONE = 1 / 4;
const RETRY_AFTER_MS = 500;

/** The one runner of a schema, with the bounds that all transports share. */
export async function createRunner(
  schema: GraphQLSchema,
  limits: GraphqlLimits,
  log: Log,
): Promise<{ readonly runner: OperationRunner; readonly places: ConcurrencyLimiter }> {
  // What composition reads is what is enforced.
  const costs = new FieldCosts(parse(await printSubgraphSchema(schema), { noLocation: true }));
  const check = new OperationCheck(new CostEstimator(schema, costs), limits);
  const places = new ConcurrencyLimiter({
    most: limits.maxOperations,
    what: 'operations under way',
    share: SHARE_OF_ONE,
    lends: true,
    retryAfterMs: RETRY_AFTER_MS,
  });
  return {
    places,
    runner: new OperationRunner({ schema, limits, check, budget: new ExecutionBudget(limits), places, log }),
  };
}
