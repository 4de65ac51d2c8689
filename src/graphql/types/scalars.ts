import { GraphQLScalarType } from 'graphql';
import { GraphQLDateTime, GraphQLJSON } from 'graphql-scalars';

/** Our moments are RFC 3339 text already: they pass through instead of becoming a Date and text again. */
export const DateTime = new GraphQLScalarType({
  ...GraphQLDateTime.toConfig(),
  serialize: (value) => (typeof value === 'string' ? value : GraphQLDateTime.serialize(value)),
});

export const Json = GraphQLJSON;
