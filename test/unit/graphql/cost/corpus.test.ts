import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type GraphQLSchema, getOperationAST, parse, specifiedRules, validate } from 'graphql';
import { buildSupportSchema, printSubgraphSchema } from '../../../../src/graphql';
import { OperationCheck } from '../../../../src/graphql/cost/operation-check';
import { CostEstimator } from '../../../../src/graphql/cost/cost-estimator';
import { FieldCosts } from '../../../../src/graphql/cost/field-costs';
import { DEFAULT_GRAPHQL_LIMITS, operationSizeRule } from '../../../../src/graphql/operation/limits';
import { apolloPlans, type Fetch } from '../../../corpus/apollo-plans';
import { CLIENT_OPERATIONS, REPRESENTATIONS } from '../../../corpus/client-operations';
import { INTROSPECTIONS } from '../../../corpus/introspections';
import { composed } from '../../../e2e/gateway/subject';

const CORPUS = path.join(__dirname, '../../../corpus');

let schema: GraphQLSchema;
let sdl: string;
let estimator: CostEstimator;
beforeAll(async () => {
  schema = await buildSupportSchema({} as never);
  sdl = await printSubgraphSchema(schema);
  estimator = new CostEstimator(schema, new FieldCosts(parse(sdl)));
});

/**
 * Why the operation would be refused by the default limits: a code, or the validation's error; null: it is accepted.
 */
function refusal(query: string, variables: Record<string, unknown> = {}, operationName?: string): string | null {
  let document;
  try {
    document = parse(query, { maxTokens: DEFAULT_GRAPHQL_LIMITS.maxTokens });
  } catch (error) {
    return (error as Error).message;
  }
  const [problem] = validate(schema, document, [...specifiedRules, operationSizeRule(DEFAULT_GRAPHQL_LIMITS)]);
  if (problem) return problem.extensions.limit ? 'OPERATION_TOO_LARGE' : problem.message;
  try {
    new OperationCheck(estimator, DEFAULT_GRAPHQL_LIMITS).assertMayRun(
      document,
      getOperationAST(document, operationName)!,
      variables,
      null,
    );
    return null;
  } catch (error) {
    return (error as { code: string }).code;
  }
}
const costOf = (query: string, variables: Record<string, unknown> = {}, operationName?: string): number => {
  const document = parse(query);
  return estimator.estimate(document, getOperationAST(document, operationName)!, variables).cost();
};
const representations = (types: readonly string[], count?: number): Record<string, unknown> => ({
  representations: types.flatMap(type =>
    Array.from({ length: count ?? REPRESENTATIONS[type] ?? 0 }, (_, i) => ({ __typename: type, id: `${type}-${i}` })),
  ),
});

const fetchesIn = (file: string): readonly Fetch[] =>
  JSON.parse(readFileSync(path.join(CORPUS, file), 'utf8')) as Fetch[];

/** Every example of our own documentation. */
function documented(): readonly (readonly [string, string])[] {
  const pages = [
    'README.md',
    ...readdirSync('docs')
      .filter(name => name.endsWith('.md'))
      .map(name => `docs/${name}`),
  ];
  return pages.flatMap(page =>
    [...readFileSync(page, 'utf8').matchAll(/^```graphql\n((?:query|mutation|subscription|\{).*?)^```/gms)].map(
      (match, at) => [`${page} ${at}`, match[1]!] as const,
    ),
  );
}

describe('a legitimate operation costs less than half of the limit', () => {
  const costs: Record<string, number> = {};
  const hold = (name: string, query: string, variables: Record<string, unknown> = {}, operationName?: string): void => {
    expect([name, refusal(query, variables, operationName)]).toEqual([name, null]);
    costs[name] = costOf(query, variables, operationName);
    expect([name, costs[name]]).toEqual([name, Math.min(costs[name], DEFAULT_GRAPHQL_LIMITS.maxCost / 2)]);
  };
  afterAll(() => {
    if (process.env['SHOW_COSTS'])
      process.stdout.write(
        `${Object.entries(costs)
          .sort(([, a], [, b]) => b - a)
          .map(([name, cost]) => `${String(cost).padStart(7)} ${name}`)
          .join('\n')}\n`,
      );
  });

  it.each(['apollo.json', 'hive.json'])('in the query plans of a router: %s', file => {
    for (const { name, query, isOfEntities, types } of fetchesIn(file))
      hold(`${file} ${name}`, query, isOfEntities ? representations(types) : {});
  });

  it('sent by a client without a router', () => {
    for (const [name, query] of Object.entries(CLIENT_OPERATIONS))
      if (validate(schema, parse(query)).length === 0) hold(`direct ${name}`, query);
  });

  it('in our documentation and examples', () => {
    const examples = readFileSync('examples/operations.graphql', 'utf8');
    for (const definition of parse(examples).definitions)
      if (definition.kind === 'OperationDefinition')
        hold(`examples ${definition.name!.value}`, examples, {}, definition.name!.value);
    for (const [name, text] of documented())
      for (const definition of parse(text).definitions)
        if (definition.kind === 'OperationDefinition')
          hold(name, text.slice(definition.loc!.start, definition.loc!.end));
  });

  it.each(Object.entries(INTROSPECTIONS))('sent by introspection tools: %s', (name, query) => {
    hold(name, query);
  });
});

it("the plans of Apollo's planner match the current schema; test/corpus/record.ts writes them", () => {
  expect(apolloPlans(composed(sdl, 'http://support', 'http://stranger'), CLIENT_OPERATIONS)).toEqual(
    fetchesIn('apollo.json'),
  );
});

it('a document whose fragments double sixty times is measured in as many steps as it has selections', () => {
  const text = `{ supportAccounts { ...F0 } ...R0 } ${Array.from(
    { length: 60 },
    (
      _,
      i,
    ) => `fragment F${i} on SupportAccount { x: organization { supportAccounts { ...F${i + 1} } } y: organization { supportAccounts { ...F${i + 1} } } }
    fragment R${i} on Query { ... { ...R${i + 1} } ... { ...R${i + 1} } }`,
  ).join(' ')} fragment F60 on SupportAccount { id } fragment R60 on Query { __typename @skip(if: true) }`;
  expect(costOf(text)).toBeGreaterThan(DEFAULT_GRAPHQL_LIMITS.maxCost);
});

describe('a hostile operation is refused before execution', () => {
  const nested = (levels: number): string =>
    `{supportAccounts{${'agents{account{'.repeat(levels)}id${'}}'.repeat(levels)}}}`;
  const doubling = `{ supportAccounts { ...F0 } } ${Array.from({ length: 4 }, (_, i) => `fragment F${i} on SupportAccount { ...F${i + 1} x${i}: agents { account { ...F${i + 1} } } }`).join(' ')} fragment F4 on SupportAccount { agents { id } }`;

  it.each<[string, string, Record<string, unknown>, string]>([
    [
      'agents of accounts of agents of accounts of agents',
      '{supportAccounts{agents{account{agents{account{agents{id}}}}}}}',
      {},
      'OPERATION_TOO_COSTLY',
    ],
    ['six levels of it', nested(6), {}, 'OPERATION_TOO_COSTLY'],
    [
      'messages of sessions of messages of sessions of handoffs',
      '{handoffs(first:100){nodes{session{messages(first:100){nodes{session{messages(first:100){nodes{id}}}}}}}}}',
      {},
      'OPERATION_TOO_COSTLY',
    ],
    [
      'the same by variables',
      'query($n:Int){handoffs(first:$n){nodes{session{messages(first:$n){nodes{session{messages(first:$n){nodes{id}}}}}}}}}',
      { n: 100 },
      'OPERATION_TOO_COSTLY',
    ],
    [
      "the same by a variable's default",
      'query($n:Int=100){handoffs(first:$n){nodes{session{messages(first:$n){nodes{session{messages(first:$n){nodes{id}}}}}}}}}',
      {},
      'OPERATION_TOO_COSTLY',
    ],
    [
      'members of inboxes, a thousand each',
      '{supportInboxes(first:1000){members(first:1000){id}}}',
      {},
      'OPERATION_TOO_COSTLY',
    ],
    ['fragments that double at each level', doubling, {}, 'OPERATION_TOO_COSTLY'],
    [
      'an alias that stands in the result a thousand times',
      `{supportAgents(first:10){${'a'.repeat(9_000)}:name}}`,
      {},
      'OPERATION_TOO_LARGE',
    ],
    [
      'one representation in place of a list',
      'query($r:[_Any!]!){_entities(representations:$r){... on SupportAccount{agents(first:1000){account{agents(first:1000){id}}}}}}',
      { r: { __typename: 'SupportAccount', id: 'a' } },
      'OPERATION_TOO_COSTLY',
    ],
    [
      '20,000 representations under 95 names',
      `query($r:[_Any!]!){${Array.from({ length: 95 }, (_, i) => `a${i}:_entities(representations:$r){...on User{supportAgents{id}}}`).join(' ')}}`,
      representations(['User'], 20_000),
      'TOO_MANY_REPRESENTATIONS',
    ],
    [
      '10,000 representations with lists',
      'query($r:[_Any!]!){_entities(representations:$r){...on User{supportAgents{id account{name}}}}}',
      { r: representations(['User'], 10_000).representations },
      'OPERATION_TOO_COSTLY',
    ],
    [
      '100 times __schema',
      `{${Array.from({ length: 100 }, (_, i) => `a${i}:__schema{types{name fields{name}}}`).join(' ')}}`,
      {},
      'TOO_MUCH_INTROSPECTION',
    ],
    [
      '50 lists of all types in one __schema',
      `{__schema{${Array.from({ length: 50 }, (_, i) => `a${i}:types{fields{args{name}}}`).join(' ')}}}`,
      {},
      'OPERATION_TOO_COSTLY',
    ],
    [
      'fields of types of fields of types',
      '{__schema{types{fields{type{fields{type{fields{name}}}}}}}}',
      {},
      'Maximum introspection depth exceeded',
    ],
    [
      'ten inspections of drift',
      `{${Array.from({ length: 11 }, (_, i) => `a${i}:supportDrift(accountId:"x"){id}`).join(' ')}}`,
      {},
      'OPERATION_TOO_COSTLY',
    ],
  ])('%s', (_name, query, variables, code) => {
    const given = Object.keys(variables).includes('representations') ? { r: variables['representations'] } : variables;
    expect(refusal(query, given)).toBe(code);
  });
});
