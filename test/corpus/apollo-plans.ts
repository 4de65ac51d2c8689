import { operationFromDocument, Supergraph } from '@apollo/federation-internals';
import { type PlanNode, QueryPlanner, type SubscriptionNode } from '@apollo/query-planner';
import { parse } from 'graphql';

/** One request of a router to the support subgraph. */
export interface Fetch {
  /** The client's operation that it belongs to, and its place in the plan. */
  readonly name: string;
  readonly query: string;
  /** Whether it queries `_entities` with the variable `representations`. */
  readonly isOfEntities: boolean;
  /** The types in its representations; a router sends one representation per object. */
  readonly types: readonly string[];
}

/** The plans of Apollo's own query planner, which Router and Gateway share, as fetches from the support subgraph. */
export function apolloPlans(supergraphSdl: string, operations: Readonly<Record<string, string>>): readonly Fetch[] {
  const supergraph = Supergraph.build(supergraphSdl);
  const planner = new QueryPlanner(supergraph);
  return Object.entries(operations).flatMap(([name, text]) => {
    const plan = planner.buildQueryPlan(operationFromDocument(supergraph.apiSchema(), parse(text)));
    return fetchesOf(plan.node, name);
  });
}

function fetchesOf(node: PlanNode | SubscriptionNode | undefined, name: string): Fetch[] {
  switch (node?.kind) {
    case 'Fetch':
      return node.serviceName === 'support' ? [fetchOf(name, node.operation)] : [];
    case 'Sequence':
    case 'Parallel':
      return node.nodes.flatMap((one, at) => fetchesOf(one, `${name}.${at}`));
    case 'Flatten':
      return fetchesOf(node.node, name);
    case 'Subscription':
      return [...fetchesOf(node.primary, name), ...fetchesOf(node.rest, `${name}.rest`)];
    case 'Defer':
    case 'Condition':
      throw new Error(`${name}: no operation of the corpus uses ${node.kind}.`);
    case undefined:
      return [];
  }
}

export const fetchOf = (name: string, query: string): Fetch => ({
  name,
  query,
  isOfEntities: query.includes('_entities'),
  types: [...new Set([...query.matchAll(/\.\.\.\s*on (\w+)/g)].map(match => match[1]!))],
});
