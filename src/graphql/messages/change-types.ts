import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import type { ReactionSide } from '../../core/message';
import { SupportMessageContentInput } from './content-inputs';
import { ReactionSideEnum } from '../shared/enums';
import { SupportPayload } from '../shared/payloads';
import { KEY_DESCRIPTION } from '../runtime/inputs';
import { SupportMessage, SupportSession } from '../sessions/types';

const OUR_MESSAGE_ID = { nullable: true, description: "The message's `id`. Give this or `callerMessageId`." } as const;
const CALLER_MESSAGE_ID = { nullable: true, description: 'Your own id of the message.' } as const;
const payload = { implements: SupportPayload, simpleResolvers: true } as const;
const nullable = { nullable: true } as const;
const replayed = { description: 'True if this key was used before: this is the result of that call.' } as const;

@InputType({
  description:
    'The new state of a message of the end-user or the bot. Text and content that are omitted are removed; files stay.',
})
export class EditSupportMessageInput {
  @Field(() => ID) sessionId: string;
  @Field(() => ID, OUR_MESSAGE_ID) messageId?: string | null;
  @Field(() => String, CALLER_MESSAGE_ID) callerMessageId?: string | null;
  @Field(() => String, {
    defaultValue: '',
    description: 'May be omitted if `content` is given or the message has files.',
  })
  text: string;
  @Field(() => SupportMessageContentInput, { nullable: true }) content?: SupportMessageContentInput | null;
  @Field(() => Int, {
    nullable: true,
    description: 'For a bot message: the epoch that the bot believes to be current, as in sendBotMessage.',
  })
  epoch?: number | null;
  @Field(() => String, { description: KEY_DESCRIPTION }) idempotencyKey: string;
}

@ObjectType(payload)
export class EditSupportMessagePayload extends SupportPayload {
  @Field(() => SupportMessage, nullable) message?: unknown;
  @Field(() => SupportSession, nullable) session?: unknown;
  @Field(() => Boolean, replayed) replayed: boolean;
}

@InputType({ description: 'Deletes a message of the end-user or of the bot.' })
export class DeleteSupportMessageInput {
  @Field(() => ID) sessionId: string;
  @Field(() => ID, OUR_MESSAGE_ID) messageId?: string | null;
  @Field(() => String, CALLER_MESSAGE_ID) callerMessageId?: string | null;
  @Field(() => Int, {
    nullable: true,
    description:
      'Refused if it is not the current epoch. If omitted, it is not checked, because deleting a message answers nobody.',
  })
  epoch?: number | null;
  @Field(() => String, { description: KEY_DESCRIPTION }) idempotencyKey: string;
}

@ObjectType(payload)
export class DeleteSupportMessagePayload extends SupportPayload {
  @Field(() => SupportMessage, nullable) message?: unknown;
  @Field(() => SupportSession, nullable) session?: unknown;
  @Field(() => Boolean, { description: 'True if the message was deleted before: nothing was done.' })
  alreadyDeleted: boolean;
  @Field(() => Boolean, replayed) replayed: boolean;
}

@InputType({ description: 'Sets the reaction of one side to a public message.' })
export class ReactToSupportMessageInput {
  @Field(() => ID) sessionId: string;
  @Field(() => ID, OUR_MESSAGE_ID) messageId?: string | null;
  @Field(() => String, CALLER_MESSAGE_ID) callerMessageId?: string | null;
  @Field(() => ReactionSideEnum) by: ReactionSide;
  @Field(() => String, {
    nullable: true,
    description: 'An emoji or its name, up to 100 characters; replaces the previous one. Null removes it.',
  })
  emoji?: string | null;
  @Field(() => Int, {
    nullable: true,
    description: 'For the bot: the epoch that it believes to be current, as in sendBotMessage.',
  })
  epoch?: number | null;
  @Field(() => String, { description: KEY_DESCRIPTION }) idempotencyKey: string;
}

@ObjectType(payload)
export class ReactToSupportMessagePayload extends SupportPayload {
  @Field(() => SupportMessage, nullable) message?: unknown;
  @Field(() => SupportSession, nullable) session?: unknown;
  @Field(() => Boolean, replayed) replayed: boolean;
}
