import { type GraphQLSchema, parse } from 'graphql';
import { OperationCheck } from '../cost/check';
import { CostEstimator } from '../cost/estimate';
import { FieldCosts } from '../cost/field-costs';
import type { Log } from '../errors';
import { Workshop } from '../execution/work';
import { printSubgraphSchema } from '../federation';
import type { GraphqlLimits } from '../limits';
import { Admission } from './admission';
import { OperationRunner } from './operation';

/** Creates the runner of a schema and the limiter that all transports share. */
export async function createRunner(schema: GraphQLSchema, limits: GraphqlLimits, log: Log): Promise<{ readonly runner: OperationRunner; readonly admission: Admission }> {
  // Costs are read from the published SDL, so that the enforced costs are the published ones.
  const costs = new FieldCosts(parse(await printSubgraphSchema(schema), { noLocation: true }));
  const check = new OperationCheck(new CostEstimator(schema, costs), limits);
  const admission = new Admission(limits.maxOperations);
  return { admission, runner: new OperationRunner({ schema, limits, check, workshop: new Workshop(limits), admission, log }) };
}
