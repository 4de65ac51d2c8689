import {
  type ConstDirectiveNode, type GraphQLField, getNamedType, getNullableType, isCompositeType, isListType, isObjectType, Kind, parseConstValue,
} from 'graphql';
import { Directive } from 'type-graphql';

/** How many items a list is assumed to have whose field says nothing else. */
const USUAL_LIST = 10;
/** How many a page has when the call does not say `first`; the same as resolvers/input.ts gives. */
export const DEFAULT_PAGE = 50;
/** The most that a page of a connection may have. */
export const MAX_PAGE = 100;
/** The most that one call gets of a set-up list (agents, teams, inboxes, members). */
export const MAX_LIST = 1_000;

/** Says how many items a list field usually has. The cost of an operation multiplies by it; `first` takes its place where it is given. */
export const ListSize = (assumedSize: number): ReturnType<typeof Directive> => Directive(`@listSize(assumedSize: ${assumedSize})`);
/** Says how much one object of the field costs, in place of 1. */
export const Cost = (weight: number): ReturnType<typeof Directive> => Directive(`@cost(weight: ${weight})`);

/**
 * Completes the directives of one field for the SDL, so that every list of objects has a size: its own or the usual one,
 * and the argument `first` where there is one. The lists of a connection get theirs from the field that returns it.
 * Names and meaning are those of the IBM cost specification, as federation 2.9 composes them.
 */
export function withListSize(field: GraphQLField<unknown, unknown>, given: readonly ConstDirectiveNode[], isInConnection: boolean): readonly ConstDirectiveNode[] {
  const type = getNullableType(field.type);
  const named = getNamedType(type);
  const isConnection = isObjectType(named) && 'edges' in named.getFields() && 'pageInfo' in named.getFields();
  const isListOfObjects = isListType(type) && isCompositeType(named) && !isInConnection;
  if (!isConnection && !isListOfObjects) return given;
  const own = given.find((directive) => directive.name.value === 'listSize');
  const assumed = own?.arguments?.find((argument) => argument.name.value === 'assumedSize')?.value;
  const values: Record<string, string> = {
    assumedSize: assumed?.kind === Kind.INT ? assumed.value : String(isConnection || hasFirst(field) ? DEFAULT_PAGE : USUAL_LIST),
    ...(hasFirst(field) && { slicingArguments: '["first"]' }),
    ...(isConnection && { sizedFields: JSON.stringify(['edges', 'nodes'].filter((name) => name in (named as { getFields(): object }).getFields())) }),
    ...(hasFirst(field) && { requireOneSlicingArgument: 'false' }),
  };
  return [...given.filter((directive) => directive !== own), directiveOf('listSize', values)];
}

const hasFirst = (field: GraphQLField<unknown, unknown>): boolean => field.args.some((argument) => argument.name === 'first');

const directiveOf = (name: string, values: Readonly<Record<string, string>>): ConstDirectiveNode => ({
  kind: Kind.DIRECTIVE, name: { kind: Kind.NAME, value: name },
  arguments: Object.entries(values).map(([argument, text]) => ({
    kind: Kind.ARGUMENT, name: { kind: Kind.NAME, value: argument }, value: parseConstValue(text, { noLocation: true }),
  })),
});
