import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { SupportPayload } from '../shared/payloads';
import { KEY_DESCRIPTION } from '../runtime/inputs';
import { SupportSession } from '../sessions/types';

@InputType()
export class MarkSupportMessagesReadInput {
  @Field(() => ID) sessionId: string;
  @Field(() => ID, { description: 'The last message that the end-user has read, of any author.' })
  throughMessageId: string;
  @Field(() => String, { description: KEY_DESCRIPTION }) idempotencyKey: string;
}

@ObjectType({ implements: SupportPayload, simpleResolvers: true })
export class MarkSupportMessagesReadPayload extends SupportPayload {
  @Field(() => SupportSession, { nullable: true }) session?: unknown;
  @Field(() => Int, { description: 'The number of messages that were unread until now.' }) markedCount: number;
  @Field(() => Boolean, { description: 'True if this key was used before: this is the result of that call.' })
  replayed: boolean;
}
