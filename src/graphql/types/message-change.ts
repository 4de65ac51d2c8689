import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import type { ReactionSide } from '../../core/message';
import { SupportMessageContentInput } from './content-inputs';
import { ReactionSideEnum } from './enums';
import { SupportPayload } from './payloads';
import { KEY } from './runtime-inputs';
import { SupportMessage, SupportSession } from './session';

const OURS = { nullable: true, description: 'Our id of the message. Give this or `callerMessageId`.' } as const;
const YOURS = { nullable: true, description: 'Your own id of the turn.' } as const;
const payload = { implements: SupportPayload, simpleResolvers: true } as const;
const nullable = { nullable: true } as const;
const replayed = { description: 'This key was answered before; this is that answer.' } as const;

@InputType({ description: 'A message of the end-user or of the bot as it is now. What is not given again is gone, but for its files.' })
export class EditSupportMessageInput {
  @Field(() => ID) sessionId: string;
  @Field(() => ID, OURS) messageId?: string | null;
  @Field(() => String, YOURS) callerMessageId?: string | null;
  @Field(() => String, { defaultValue: '', description: 'May be left out beside `content`, or when the message has files.' }) text: string;
  @Field(() => SupportMessageContentInput, { nullable: true }) content?: SupportMessageContentInput | null;
  @Field(() => Int, { nullable: true, description: 'For a message of the bot: the epoch it believes in, as in sendBotMessage.' }) epoch?: number | null;
  @Field(() => String, { description: KEY }) idempotencyKey: string;
}

@ObjectType(payload)
export class EditSupportMessagePayload extends SupportPayload {
  @Field(() => SupportMessage, nullable) message?: unknown;
  @Field(() => SupportSession, nullable) session?: unknown;
  @Field(() => Boolean, replayed) replayed: boolean;
}

@InputType({ description: 'A message of the end-user or of the bot.' })
export class DeleteSupportMessageInput {
  @Field(() => ID) sessionId: string;
  @Field(() => ID, OURS) messageId?: string | null;
  @Field(() => String, YOURS) callerMessageId?: string | null;
  @Field(() => Int, { nullable: true, description: 'Refused when it is not the current one. Absent: not checked, since taking words back answers nobody.' }) epoch?: number | null;
  @Field(() => String, { description: KEY }) idempotencyKey: string;
}

@ObjectType(payload)
export class DeleteSupportMessagePayload extends SupportPayload {
  @Field(() => SupportMessage, nullable) message?: unknown;
  @Field(() => SupportSession, nullable) session?: unknown;
  @Field(() => Boolean, { description: 'It was taken back before; nothing was done.' }) alreadyDeleted: boolean;
  @Field(() => Boolean, replayed) replayed: boolean;
}

@InputType({ description: 'The reaction of one side to any public message, as it is now.' })
export class ReactToSupportMessageInput {
  @Field(() => ID) sessionId: string;
  @Field(() => ID, OURS) messageId?: string | null;
  @Field(() => String, YOURS) callerMessageId?: string | null;
  @Field(() => ReactionSideEnum) by: ReactionSide;
  @Field(() => String, { nullable: true, description: 'An emoji or its name, up to 100 characters; it replaces the one before. Null takes it back.' }) emoji?: string | null;
  @Field(() => Int, { nullable: true, description: 'For the bot: the epoch it believes in, as in sendBotMessage.' }) epoch?: number | null;
  @Field(() => String, { description: KEY }) idempotencyKey: string;
}

@ObjectType(payload)
export class ReactToSupportMessagePayload extends SupportPayload {
  @Field(() => SupportMessage, nullable) message?: unknown;
  @Field(() => SupportSession, nullable) session?: unknown;
  @Field(() => Boolean, replayed) replayed: boolean;
}
