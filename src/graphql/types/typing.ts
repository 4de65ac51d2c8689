import { Field, ID, InputType, ObjectType } from 'type-graphql';
import { SupportPayload } from './payloads';
import { DateTime } from './scalars';

@InputType()
export class SetSupportTypingInput {
  @Field(() => ID) sessionId: string;
  @Field(() => Boolean, { description: 'Say true again every few seconds while the end-user types: 10 seconds after the last one it ends by itself.' }) isTyping: boolean;
}

@ObjectType({ implements: SupportPayload, simpleResolvers: true })
export class SetSupportTypingPayload extends SupportPayload {
  @Field(() => Boolean, { description: 'False: nobody would see it, or the provider cannot show it.' }) isShown: boolean;
}

@ObjectType({ simpleResolvers: true, description: 'An agent began or stopped to write to the end-user. Ephemeral: nothing that was missed comes again.' })
export class SupportTyping {
  @Field(() => Boolean) isTyping: boolean;
  @Field(() => DateTime) at: string;
}
