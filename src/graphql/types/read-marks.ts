import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { SupportPayload } from './payloads';
import { KEY } from './runtime-inputs';
import { SupportSession } from './session';

@InputType()
export class MarkSupportMessagesReadInput {
  @Field(() => ID) sessionId: string;
  @Field(() => ID, { description: 'The last message that the end-user has read, of any author.' }) throughMessageId: string;
  @Field(() => String, { description: KEY }) idempotencyKey: string;
}

@ObjectType({ implements: SupportPayload, simpleResolvers: true })
export class MarkSupportMessagesReadPayload extends SupportPayload {
  @Field(() => SupportSession, { nullable: true }) session?: unknown;
  @Field(() => Int, { description: 'The number of messages that were unread until now.' }) marked: number;
  @Field(() => Boolean, { description: 'True if this key was used before: this is the result of that call.' }) replayed: boolean;
}
