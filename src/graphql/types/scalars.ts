import { GraphQLError, GraphQLScalarType, Kind } from 'graphql';
import { GraphQLDateTime, GraphQLJSON } from 'graphql-scalars';

/** Our moments are RFC 3339 text already: they pass through instead of becoming a Date and text again. */
export const DateTime = new GraphQLScalarType({
  ...GraphQLDateTime.toConfig(),
  serialize: (value) => (typeof value === 'string' ? value : GraphQLDateTime.serialize(value)),
});

export const Json = GraphQLJSON;

/**
 * A number of bytes, which GraphQL's 32-bit Int cannot hold. Any number passes in: the core refuses one that is no size,
 * by its field, as it refuses every other wrong input.
 */
export const ByteSize = new GraphQLScalarType<number, number>({
  name: 'SupportByteSize',
  description: 'A whole number of bytes from 0 to 9007199254740991 (2^53 - 1). In an input any other number is refused by its field.',
  serialize: (value) => asNumber(value),
  parseValue: (value) => asNumber(value),
  parseLiteral: (node) => {
    if (node.kind !== Kind.INT && node.kind !== Kind.FLOAT) throw new GraphQLError('SupportByteSize is a number, e.g. 2147483648.', { nodes: node });
    return Number(node.value);
  },
});

function asNumber(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new GraphQLError('SupportByteSize is a number, e.g. 2147483648.');
  return value;
}
