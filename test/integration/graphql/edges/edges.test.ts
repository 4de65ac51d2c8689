import { buildSchema } from 'graphql';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { MAX_PAGE_SIZE } from '../../../../src/graphql/cost/list-size';
import { caller, createFlowWorld, type FlowWorld, ORG, type GraphqlApi, startGraphqlApi, statements } from '../room';
import { seed, type Seeded } from './seed';
import { edgesOf, isParent, objectsAt, type Route, routesFrom, selectionOf } from './walk';

/**
 * Every field of the schema, with 2 and with 20 objects that have it: the number of statements is the same. Of
 * notifications in the runtime inbox 12 are read, because all their kinds share one page. The cases come from the
 * schema, and each must return data, so that a new field without seeded data fails here.
 */
const schema = buildSchema(readFileSync(path.join(__dirname, '../../../../schema/support.graphql'), 'utf8'));

const ENTITIES = [
  'SupportSession',
  'Handoff',
  'SupportAccount',
  'SupportInbox',
  'SupportTeam',
  'SupportAgent',
  'Chatbot',
  'User',
  'Organization',
];
/** Root lists, and how many of their rows belong to one seeded session. */
const LISTS: Readonly<
  Record<string, { readonly list: (rows: number) => string; readonly through: string; readonly perSession: number }>
> = {
  SupportRuntimeDelivery: { list: rows => `supportRuntimeInbox(first: ${rows})`, through: 'nodes', perSession: 8 },
  SupportRuntimeDeliveryEdge: { list: rows => `supportRuntimeInbox(first: ${rows})`, through: 'edges', perSession: 8 },
  SupportDeadLetter: { list: rows => `supportDeadLetters(first: ${rows})`, through: 'nodes', perSession: 1 },
  SupportDeadLetterEdge: { list: rows => `supportDeadLetters(first: ${rows})`, through: 'edges', perSession: 1 },
  HandoffEdge: { list: rows => `handoffs(first: ${rows})`, through: 'edges', perSession: 2 },
};
/** At most one of each per operation: it returns one object, or a list of its own. */
const ONE_PER_OPERATION =
  /^(Query|Mutation|Subscription|\w+Payload|SupportUserError|\w+Connection|SupportExplanation|SupportPendingDeliveries|SupportBlockedLane|SupportDriftItem|SupportRuntimeEndpoint|SupportSessionEventItem|SupportConversationStatus|HandoffChangeItem|HandoffSnapshot|SupportTyping)$/;

const routes = routesFrom(schema, ENTITIES, Object.keys(LISTS));
const cases = [...routes.values()].flatMap(route =>
  edgesOf(schema, route).map(edge => [`${route.type}.${edge.name}`, route, edge] as const),
);

let world: FlowWorld;
let api: GraphqlApi;
let seeded: readonly Seeded[];
beforeAll(async () => {
  world = await createFlowWorld();
  // This measures how a result is read, even one that costs more than the default limit allows.
  api = await startGraphqlApi(world, { maxCost: 1e15 });
  seeded = await seed(world, 20);
});
afterAll(async () => {
  await api?.stop();
  await world?.close();
});

async function data(query: string, variables: object = {}): Promise<any> {
  const { body } = await api.run(query, variables, caller('gateway'));
  expect(body.errors).toBeUndefined();
  return body.data;
}

/** The objects of one route that starts at `count` objects, and the statements for them. */
async function read(
  route: Route,
  inner: string,
  count: number,
): Promise<{ readonly objects: readonly Record<string, unknown>[]; readonly statements: number }> {
  const selection = selectionOf(schema, route, inner);
  const list = LISTS[route.start];
  const query = list
    ? `{ start: ${list.list(count * list.perSession)} { ${list.through} { ${selection} } } }`
    : `query ($representations: [_Any!]!) { start: _entities(representations: $representations) { ... on ${route.start} { ${selection} } } }`;
  const representations = seeded.slice(0, count).map(ids => ({ __typename: route.start, id: ids[route.start] }));
  let answer: any;
  const seen = await statements(world, async () => {
    answer = await data(query, list ? {} : { representations });
  });
  return { objects: objectsAt(list ? answer.start[list.through] : answer.start, route), statements: seen.length };
}

it('the test knows a path to every type of the schema', () => {
  const missing = Object.values(schema.getTypeMap()).filter(
    type =>
      isParent(type) && !type.name.startsWith('__') && !routes.has(type.name) && !ONE_PER_OPERATION.test(type.name),
  );
  expect(missing.map(({ name }) => name)).toEqual([]);
});

/** 20, or as many as fit in the largest page. */
const manyFor = ({ start }: Route): number => Math.min(20, Math.floor(MAX_PAGE_SIZE / (LISTS[start]?.perSession ?? 1)));

it.each(cases)('%s takes as many statements for many objects as for 2', async (_name, route, edge) => {
  const count = manyFor(route);
  const few = await read(route, edge.selection, 2);
  const many = await read(route, edge.selection, count);
  expect(few.objects.length).toBeGreaterThan(0);
  expect(many.objects).toHaveLength((count / 2) * few.objects.length);
  for (const field of edge.fields) expect(many.objects.filter(one => one[field] !== null)).not.toHaveLength(0);
  expect(many.statements).toBe(few.statements);
});

it('lists with other arguments under other aliases share one statement', async () => {
  const route = routes.get('SupportSession')!;
  const inner =
    'a: messages(first: 1) { nodes { seq } } b: messages(first: 2) { nodes { seq } } c: messages(first: 3) { nodes { seq } } d: events(first: 1) { seq } e: events(first: 2, after: 3) { seq }';
  const { objects, statements: count } = await read(route, inner, 20);
  expect(count).toBe(3);
  const seqs = (list: any): number[] => (list.nodes ?? list).map(({ seq }: { seq: number }) => seq);
  for (const one of objects)
    expect(['a', 'b', 'c', 'd', 'e'].map(name => seqs(one[name]))).toEqual([[1], [1, 2], [1, 2, 3], [1], [4, 5]]);
});

it('a root list that is requested under many aliases with the same arguments is read once', async () => {
  const lists = [
    'handoffs(first: 2) { nodes { id } }',
    'supportRuntimeInbox(first: 2) { nodes { id } }',
    'supportDeadLetters(first: 2) { totalCount nodes { id } }',
    'supportAccounts { id }',
    'supportInboxes { id }',
    'supportTeams { id }',
    'supportAgents { id }',
    'supportRuntimeEndpoints { id }',
  ];
  const named = (times: number) =>
    `{ ${lists.flatMap((list, n) => Array.from({ length: times }, (_, i) => `x${n}_${i}: ${list}`)).join(' ')} }`;
  const counts: number[] = [];
  for (const times of [1, 5]) counts.push((await statements(world, () => data(named(times)))).length);
  expect(counts[1]).toBe(counts[0]);
});

it('a refused cursor fails its own list and no other', async () => {
  const query = `query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on SupportSession { id ok: messages(first: 1) { nodes { seq } } } ... on SupportSession { bad: messages(after: "made up") { nodes { seq } } } } }`;
  const representations = seeded.slice(0, 2).map(ids => ({ __typename: 'SupportSession', id: ids['SupportSession'] }));
  const { body } = await api.run(query, { representations }, caller('gateway'));
  expect(body.errors).toMatchObject([
    { path: ['_entities', 0, 'bad'], extensions: { code: 'CURSOR_INVALID' } },
    { path: ['_entities', 1, 'bad'] },
  ]);
});

it('messages of the sessions of the handoffs of a page, nested several times, take one statement per level', async () => {
  const query =
    '{handoffs(first:100){nodes{session{messages(first:100){nodes{handoff{session{messages(first:100){nodes{id session{messages(first:100){nodes{id}}}}}}}}}}}}}';
  const seen = await statements(world, () => data(query));
  expect(query.length).toBeLessThanOrEqual(165);
  expect(seen).toHaveLength(4);
});

it('nothing of another organization is read', async () => {
  const query =
    'query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on SupportSession { id } ... on Organization { supportAccounts { id } } } }';
  const { body } = await api.run(
    query,
    {
      representations: [
        { __typename: 'SupportSession', id: seeded[0]!['SupportSession'] },
        { __typename: 'Organization', id: ORG },
      ],
    },
    caller('gateway', 'org-2'),
  );
  expect(body.data._entities).toEqual([null, { supportAccounts: [] }]);
});
