import { GraphQLError, GraphQLScalarType, Kind } from 'graphql';
import { GraphQLDateTime, GraphQLJSON } from 'graphql-scalars';

/** Times are RFC 3339 strings already: they pass unchanged instead of being parsed into a Date and printed again. */
export const DateTime = new GraphQLScalarType({
  ...GraphQLDateTime.toConfig(),
  serialize: value => (typeof value === 'string' ? value : GraphQLDateTime.serialize(value)),
});

export const Json = GraphQLJSON;

/**
 * A number of bytes, which GraphQL's 32-bit Int cannot hold. Accepts any number: the core refuses an invalid size with
 * its field, like any other invalid input.
 */
export const ByteSize = new GraphQLScalarType<number, number>({
  name: 'SupportByteSize',
  description:
    'A whole number of bytes from 0 to 9007199254740991 (2^53 - 1). Any other number in an input is refused with its field.',
  serialize: value => asNumber(value),
  parseValue: value => asNumber(value),
  parseLiteral: node => {
    if (node.kind !== Kind.INT && node.kind !== Kind.FLOAT)
      throw new GraphQLError('SupportByteSize must be a number, e.g. 2147483648.', { nodes: node });
    return Number(node.value);
  },
});

function asNumber(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value))
    throw new GraphQLError('SupportByteSize must be a number, e.g. 2147483648.');
  return value;
}
