import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { SupportPayload } from './payloads';
import { KEY } from './runtime-inputs';
import { SupportSession } from './session';

@InputType()
export class MarkSupportMessagesReadInput {
  @Field(() => ID) sessionId: string;
  @Field(() => ID, { description: 'The last message that the end-user has read, whoever said it.' }) throughMessageId: string;
  @Field(() => String, { description: KEY }) idempotencyKey: string;
}

@ObjectType({ implements: SupportPayload, simpleResolvers: true })
export class MarkSupportMessagesReadPayload extends SupportPayload {
  @Field(() => SupportSession, { nullable: true }) session?: unknown;
  @Field(() => Int, { description: 'How many messages were not known to be read before.' }) marked: number;
  @Field(() => Boolean, { description: 'This key was answered before; this is that answer.' }) replayed: boolean;
}
