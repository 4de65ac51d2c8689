import { buildSubgraphSchema } from '@apollo/subgraph';
import {
  type ConstDirectiveNode,
  type DefinitionNode,
  type DocumentNode,
  type FieldDefinitionNode,
  graphql,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  isInterfaceType,
  isObjectType,
  Kind,
  parse,
  print,
  printSchema,
} from 'graphql';
import { createResolversMap } from 'type-graphql';
import type { OperationContext } from './operation/context';
import { withListSize } from './cost/list-size';
import { meterResolvers } from './operation/meter-resolvers';

const FEDERATION = 'https://specs.apollo.dev/federation/v2.9';

/** Resolves all representations of one `_entities` field, in order; null for an unknown or foreign one. */
export type EntitiesResolver = (
  representations: readonly unknown[],
  context: OperationContext,
) => Promise<readonly unknown[]>;

/**
 * Converts a code-first schema to federation 2 SDL. `printSchema` omits directives, so this adds those that decorators
 * attached to the `astNode`s, and an @link that imports exactly those in use.
 */
export function toSubgraphDocument(schema: GraphQLSchema): DocumentNode {
  const used = new Set<string>();
  const directivesOf = (
    astNode: { readonly directives?: readonly ConstDirectiveNode[] } | null | undefined,
  ): readonly ConstDirectiveNode[] =>
    // printSchema prints @deprecated itself.
    (astNode?.directives ?? []).filter(d => d.name.value !== 'deprecated');
  const withDirectives = <N extends { readonly directives?: readonly ConstDirectiveNode[] }>(
    node: N,
    directives: readonly ConstDirectiveNode[],
  ): N => {
    for (const directive of directives) used.add(`@${directive.name.value}`);
    return { ...node, directives: [...(node.directives ?? []), ...directives] };
  };

  const definition = (node: DefinitionNode): DefinitionNode => {
    if (node.kind !== Kind.OBJECT_TYPE_DEFINITION && node.kind !== Kind.INTERFACE_TYPE_DEFINITION) return node;
    const type = schema.getType(node.name.value);
    if (!isObjectType(type) && !isInterfaceType(type)) return node;
    const isConnection = 'edges' in type.getFields() && 'pageInfo' in type.getFields();
    const fields = node.fields?.map((field): FieldDefinitionNode => {
      const own = type.getFields()[field.name.value]!;
      return withDirectives(field, withListSize(own, directivesOf(own.astNode), isConnection));
    });
    return { ...withDirectives(node, directivesOf(type.astNode)), fields };
  };
  const definitions = parse(printSchema(schema), { noLocation: true }).definitions.map(definition);
  const link = parse(`extend schema @link(url: "${FEDERATION}", import: ${JSON.stringify([...used].sort())})`, {
    noLocation: true,
  });
  return { kind: Kind.DOCUMENT, definitions: [...link.definitions, ...definitions] };
}

/** Turns the schema into a subgraph with `_service` and `_entities`. Meters every resolver. */
export function toSubgraphSchema(source: GraphQLSchema, entities: EntitiesResolver): GraphQLSchema {
  const typeDefs = toSubgraphDocument(source);
  const schema = buildSubgraphSchema([{ typeDefs, resolvers: createResolversMap(source) as never }]);
  const { _entities, _service } = schema.getQueryType()!.getFields();
  if (!_entities || !_service) throw new Error('The schema has no entity. Check the @key directives.');
  // @apollo/subgraph would add the definitions of all federation directives.
  const sdl = print(typeDefs);
  _service.resolve = () => ({ sdl });
  _entities.resolve = (
    _root: unknown,
    args: { representations: readonly unknown[] },
    context: OperationContext,
    _info: GraphQLResolveInfo,
  ) => entities(args.representations, context);
  meterResolvers(schema);
  return schema;
}

/** Returns the SDL that composition reads. */
export async function printSubgraphSchema(schema: GraphQLSchema): Promise<string> {
  const served = await graphql({ schema, source: '{ _service { sdl } }' });
  return (served.data!._service as { sdl: string }).sdl;
}
