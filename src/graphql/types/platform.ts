import { Directive, Field, ID, ObjectType } from 'type-graphql';

/** What other subgraphs own and we extend by key. The fields we add are in resolvers/platform.ts. */

@ObjectType({ simpleResolvers: true })
@Directive('@key(fields: "id")')
export class Organization {
  @Field(() => ID) id: string;
}

@ObjectType({ simpleResolvers: true })
@Directive('@key(fields: "id")')
export class Chatbot {
  @Field(() => ID) id: string;
}

@ObjectType({ simpleResolvers: true })
@Directive('@key(fields: "id")')
export class User {
  @Field(() => ID) id: string;
}
