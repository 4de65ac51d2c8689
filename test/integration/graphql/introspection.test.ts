import { buildClientSchema, type IntrospectionQuery } from 'graphql';
import { INTROSPECTIONS } from '../../corpus/introspections';
import { caller, createFlowWorld, type FlowWorld, ORG, type GraphqlApi, startGraphqlApi } from './room';

/** Introspection, and the names of types, are results like any other. */
let world: FlowWorld;
let api: GraphqlApi;
beforeAll(async () => {
  world = await createFlowWorld();
  api = await startGraphqlApi(world);
});
afterAll(async () => {
  await api?.stop();
  await world?.close();
});

const aliases = (count: number, field: string): string =>
  Array.from({ length: count }, (_, i) => `a${i}: ${field}`).join(' ');
const codesOf = (errors: any[] | undefined): string[] => (errors ?? []).map(error => error.extensions.code);
/** How many iterations of the event loop pass while `work` runs. */
async function turnsDuring(work: Promise<unknown>): Promise<number> {
  let rounds = 0;
  let isOver = false;
  const count = (): void => {
    rounds += 1;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  await work.finally(() => {
    isOver = true;
  });
  return rounds;
}

describe('introspection', () => {
  it.each(Object.entries(INTROSPECTIONS))('by %s is answered', async (tool, query) => {
    const { data, errors } = await api.run(query, {}, caller('ui'));
    expect(errors).toBeUndefined();
    // Its three levels of `ofType` are not enough to build a schema from.
    if (query.includes('directives') && tool !== 'the oldest')
      expect(buildClientSchema(data as IntrospectionQuery).getType('Handoff')).toBeDefined();
  });

  it.each([
    ['95 times the text of all types', `{ __schema { types { ${aliases(95, 'description')} } } }`],
    ['95 times the text of all fields', `{ __schema { types { fields { ${aliases(95, 'description')} } } } }`],
    ['95 times the name of each type', `{ __schema { types { fields { ${aliases(95, '__typename')} } } } }`],
  ])('never exceeds the byte limit of a result: %s', async (_what, query) => {
    const small = await startGraphqlApi(world, { maxResultBytes: 50_000 });
    try {
      const { data, errors } = await small.run(query);
      expect([data ?? null, codesOf(errors)]).toEqual([null, ['RESULT_TOO_LARGE']]);
    } finally {
      await small.stop();
    }
  });

  it('lets the event loop run while it is built', async () => {
    const rounds = await turnsDuring(
      api.run(`{ __schema { types { fields { ${aliases(95, 'description')} } } } }`).then(({ errors }) => {
        expect(errors).toBeUndefined();
      }),
    );
    const fields = Object.values(api.graphql.schema.getTypeMap()).reduce(
      (sum, type) => sum + ('getFields' in type && !('parseValue' in type) ? Object.keys(type.getFields()).length : 0),
      0,
    );
    // In slices of 1,000, except for those done before the first.
    expect(rounds).toBeGreaterThanOrEqual(Math.floor((fields * 95) / 2_000));
  });
});

it('the type name of an object counts toward the result and yields to the event loop, under every alias', async () => {
  await world.pool.query(
    `insert into agent (id, organization_id, account_id, external_id, name, role)
    select gen_random_uuid(), $1, (select id from support_account limit 1), 'many-' || n, 'Agent ' || n, 'AGENT' from generate_series(1, 300) n`,
    [ORG],
  );
  const query = `{ supportAgents { ${aliases(95, '__typename')} } }`;
  expect(
    await turnsDuring(
      api.run(query).then(({ errors }) => {
        expect(errors).toBeUndefined();
      }),
    ),
    // In turns of 1,000, or of 20 agents: neighbors in a list share a turn.
  ).toBeGreaterThanOrEqual(Math.floor((300 * 95) / 2_000));
  const small = await startGraphqlApi(world, { maxResultBytes: 100_000 });
  try {
    expect(codesOf((await small.run(query)).errors)).toEqual(['RESULT_TOO_LARGE']);
  } finally {
    await small.stop();
  }
});
