import { Directive, Field, ID, ObjectType } from 'type-graphql';

/** Types of other subgraphs that this one extends by key. resolvers/platform.ts adds the fields. */

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
