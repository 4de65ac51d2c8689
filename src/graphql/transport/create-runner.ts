import { type GraphQLSchema, parse } from 'graphql';
import { Places } from '../../core/places';
import { OperationCheck } from '../cost/check';
import { CostEstimator } from '../cost/estimate';
import { FieldCosts } from '../cost/field-costs';
import type { Log } from '../errors';
import { Workshop } from '../execution/work';
import { printSubgraphSchema } from '../federation';
import type { GraphqlLimits } from '../limits';
import { OperationRunner } from './operation';

/** Of the operations under way, over all transports, of one organization. */
const SHARE_OF_ONE = 1 / 4;
const RETRY_AFTER_MS = 500;

/** The one runner of a schema, with the bounds that all transports share. */
export async function createRunner(schema: GraphQLSchema, limits: GraphqlLimits, log: Log): Promise<{ readonly runner: OperationRunner; readonly places: Places }> {
  // What composition reads is what is enforced.
  const costs = new FieldCosts(parse(await printSubgraphSchema(schema), { noLocation: true }));
  const check = new OperationCheck(new CostEstimator(schema, costs), limits);
  const places = new Places({ most: limits.maxOperations, what: 'operations under way', share: SHARE_OF_ONE, lends: true, retryAfterMs: RETRY_AFTER_MS });
  return { places, runner: new OperationRunner({ schema, limits, check, workshop: new Workshop(limits), places, log }) };
}
