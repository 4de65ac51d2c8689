import {
  type ConstDirectiveNode,
  type GraphQLField,
  getNamedType,
  getNullableType,
  isCompositeType,
  isListType,
  isObjectType,
  Kind,
  parseConstValue,
} from 'graphql';
import { Directive } from 'type-graphql';

/** Assumed number of items of a list whose field declares none. */
const DEFAULT_LIST_SIZE = 10;
/** Items of a page if the call omits `first`; the same as in resolvers/input.ts. */
export const DEFAULT_PAGE_SIZE = 50;
/** Maximum number of items of a connection's page. */
export const MAX_PAGE_SIZE = 100;
/** Maximum number of items that one call gets of a setup list (agents, teams, inboxes, members). */
export const MAX_LIST_SIZE = 1_000;

/** Declares how many items a list field usually has. The cost multiplies by it, or by `first` if that is given. */
export const ListSize = (assumedSize: number): ReturnType<typeof Directive> =>
  Directive(`@listSize(assumedSize: ${assumedSize})`);
/** Declares the cost of one object of the field, in place of 1. */
export const Cost = (weight: number): ReturnType<typeof Directive> => Directive(`@cost(weight: ${weight})`);

/**
 * Adds the missing size directives of one field to the SDL. Afterwards every list of objects has a size, declared or
 * default, and the argument `first` if the field has it. The field that returns a connection sizes the connection's
 * lists. Names and meaning are those of the IBM cost specification, as federation 2.9 composes them.
 */
export function withListSize(
  field: GraphQLField<unknown, unknown>,
  given: readonly ConstDirectiveNode[],
  isInConnection: boolean,
): readonly ConstDirectiveNode[] {
  const type = getNullableType(field.type);
  const named = getNamedType(type);
  const isConnection = isObjectType(named) && 'edges' in named.getFields() && 'pageInfo' in named.getFields();
  const isListOfObjects = isListType(type) && isCompositeType(named) && !isInConnection;
  if (!isConnection && !isListOfObjects) return given;
  const own = given.find(directive => directive.name.value === 'listSize');
  const assumed = own?.arguments?.find(argument => argument.name.value === 'assumedSize')?.value;
  const values: Record<string, string> = {
    assumedSize:
      assumed?.kind === Kind.INT
        ? assumed.value
        : String(isConnection || hasFirst(field) ? DEFAULT_PAGE_SIZE : DEFAULT_LIST_SIZE),
    ...(hasFirst(field) && { slicingArguments: '["first"]' }),
    ...(isConnection && {
      sizedFields: JSON.stringify(
        ['edges', 'nodes'].filter(name => name in (named as { getFields(): object }).getFields()),
      ),
    }),
    ...(hasFirst(field) && { requireOneSlicingArgument: 'false' }),
  };
  return [...given.filter(directive => directive !== own), directiveOf('listSize', values)];
}

const hasFirst = (field: GraphQLField<unknown, unknown>): boolean =>
  field.args.some(argument => argument.name === 'first');

const directiveOf = (name: string, values: Readonly<Record<string, string>>): ConstDirectiveNode => ({
  kind: Kind.DIRECTIVE,
  name: { kind: Kind.NAME, value: name },
  arguments: Object.entries(values).map(([argument, text]) => ({
    kind: Kind.ARGUMENT,
    name: { kind: Kind.NAME, value: argument },
    value: parseConstValue(text, { noLocation: true }),
  })),
});
