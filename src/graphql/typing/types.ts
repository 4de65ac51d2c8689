import { Field, ID, InputType, ObjectType } from 'type-graphql';
import { SupportPayload } from '../shared/payloads';
import { DateTime } from '../shared/scalars';

@InputType()
export class SetSupportTypingInput {
  @Field(() => ID) sessionId: string;
  @Field(() => Boolean, {
    description: 'Repeat true every few seconds while the end-user types: it expires 10 seconds after the last call.',
  })
  isTyping: boolean;
}

@ObjectType({ implements: SupportPayload, simpleResolvers: true })
export class SetSupportTypingPayload extends SupportPayload {
  @Field(() => Boolean, { description: 'False: no agent would see it, or the provider does not support it.' })
  isForwarded: boolean;
}

@ObjectType({
  simpleResolvers: true,
  description: 'An agent started or stopped typing. Ephemeral: missed items are not repeated.',
})
export class SupportTyping {
  @Field(() => Boolean) isTyping: boolean;
  @Field(() => DateTime) at: string;
}
