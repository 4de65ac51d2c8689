import { buildSchema, getIntrospectionQuery, parse, specifiedRules, validate } from 'graphql';
import { DEFAULT_GRAPHQL_LIMITS, operationSizeRule } from '../../../src/graphql/operation/limits';

const schema = buildSchema('type Query { a: Query b: Query text: String }');
const limits = { ...DEFAULT_GRAPHQL_LIMITS, maxDepth: 5, maxAliases: 3, maxFields: 20 };
const limitsHit = (query: string): unknown[] =>
  validate(schema, parse(query), [operationSizeRule(limits)]).map(error => error.extensions.limit);

describe('the size of an operation', () => {
  it('may reach each limit', () => {
    expect(limitsHit('{ a { a { a { a { text } } } } }')).toEqual([]);
    expect(limitsHit('{ x: text y: text z: text }')).toEqual([]);
  });

  it('may not exceed the depth limit', () => {
    expect(limitsHit('{ a { a { a { a { a { text } } } } } }')).toEqual(['depth']);
  });

  it('counts depth through fragments of both kinds', () => {
    expect(limitsHit('{ a { ...F } } fragment F on Query { a { ... on Query { a { a { a { text } } } } } }')).toEqual([
      'depth',
    ]);
  });

  it('may not exceed the alias limit', () => {
    expect(limitsHit('{ w: text x: text y: text z: text }')).toEqual(['aliases']);
  });

  it('counts the fields of a fragment at each spread', () => {
    const doubling = [
      'fragment F0 on Query { text }',
      ...Array.from({ length: 30 }, (_, i) => `fragment F${i + 1} on Query { ...F${i} ...F${i} }`),
    ];
    expect(limitsHit(`{ ...F30 } ${doubling.join(' ')}`)).toEqual(['fields']);
  });

  it('handles fragments that spread each other', () => {
    expect(limitsHit('{ ...A } fragment A on Query { text ...B } fragment B on Query { text ...A }')).toEqual([]);
  });

  it('allows the complete introspection query', () => {
    const rules = [...specifiedRules, operationSizeRule(DEFAULT_GRAPHQL_LIMITS)];
    expect(validate(schema, parse(getIntrospectionQuery()), rules)).toEqual([]);
  });

  it('is measured for every operation of a document', () => {
    expect(limitsHit('query A { text } query B { a { a { a { a { a { text } } } } } }')).toEqual(['depth']);
  });
});
