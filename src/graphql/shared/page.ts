import { type ClassType, Directive, Field, ObjectType } from 'type-graphql';

@ObjectType({ simpleResolvers: true, description: 'Page information of a Relay connection.' })
@Directive('@shareable')
export class PageInfo {
  @Field(() => Boolean) hasNextPage: boolean;
  @Field(() => Boolean) hasPreviousPage: boolean;
  @Field(() => String, { nullable: true }) startCursor: string | null;
  @Field(() => String, { nullable: true }) endCursor: string | null;
}

/** Creates the edge and connection classes of a node type. */
export function connectionOf(name: string, node: () => ClassType): ClassType {
  @ObjectType(`${name}Edge`, { simpleResolvers: true })
  class Edge {
    @Field(() => String, { description: 'Pass it as `after` to continue after this item.' }) cursor: string;
    @Field(node) node: unknown;
  }
  @ObjectType(`${name}Connection`, { simpleResolvers: true })
  class Connection {
    @Field(() => [Edge]) edges: Edge[];
    @Field(() => [node()]) nodes: unknown[];
    @Field(() => PageInfo) pageInfo: PageInfo;
  }
  return Connection;
}
