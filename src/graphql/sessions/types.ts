import { Directive, Field, ID, Int, ObjectType } from 'type-graphql';
import type { EndUser, SessionRecord } from '../../core/session';
import type { MessageRecord, ReactionSide } from '../../core/message';
import {
  ChannelStateEnum,
  MessageAuthorEnum,
  MessageVisibilityEnum,
  ReactionSideEnum,
  SupportControl,
} from '../shared/enums';
import { connectionOf } from '../shared/page';
import { ByteSize, DateTime, Json } from '../shared/scalars';

@ObjectType({ simpleResolvers: true, description: 'The end-user, as the runtime described them.' })
export class SupportEndUser {
  @Field(() => String, { nullable: true, description: "The runtime's id of the end-user." }) externalId: string | null;
  @Field(() => String, { nullable: true }) name: string | null;
  @Field(() => String, { nullable: true }) email: string | null;
  @Field(() => String, { nullable: true }) phone: string | null;
  @Field(() => String, { nullable: true, description: 'BCP 47, e.g. `de-AT`.' }) locale: string | null;
  @Field(() => Json) attributes: EndUser['attributes'];
}

@ObjectType({ simpleResolvers: true, description: "An end-user's conversation with one chatbot on one channel." })
@Directive('@key(fields: "id")')
export class SupportSession {
  @Field(() => ID) id: string;
  @Field(() => String, { description: "The runtime's channel name, e.g. `web`." }) channel: string;
  @Field(() => String, { description: "The runtime's own id of this session." }) externalId: string;
  @Field(() => SupportEndUser) endUser: SupportEndUser;
  @Field(() => SupportControl) control: SessionRecord['control'];
  @Field(() => Int, {
    description: 'Increases with every change of control. A bot message must carry the current one.',
  })
  epoch: number;
  @Field(() => Int, { description: 'The `seq` of the last event; pass it as `after` to continue from this state.' })
  lastEventSeq: number;
  @Field(() => DateTime, {
    nullable: true,
    description: 'Agents have read every message up to this time. Null: none, or the provider does not report it.',
  })
  agentsReadAt: string | null;
  @Field(() => DateTime) openedAt: string;
  @Field(() => DateTime, { nullable: true }) closedAt: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'A file of a message.' })
export class SupportAttachment {
  @Field(() => String) url: string;
  @Field(() => String) name: string;
  @Field(() => String, { description: 'MIME type, e.g. `image/png`.' }) contentType: string;
  @Field(() => ByteSize, { nullable: true }) sizeBytes: number | null;
}

@ObjectType({ simpleResolvers: true, description: 'The current reaction of one side to a message.' })
export class SupportReaction {
  @Field(() => ReactionSideEnum) by: ReactionSide;
  @Field(() => String, { description: 'The value that the channel gave: an emoji, or its name.' }) emoji: string;
  @Field(() => DateTime) at: string;
}

@ObjectType({ simpleResolvers: true, description: 'A message of a session.' })
export class SupportMessage {
  @Field(() => ID) id: string;
  @Field(() => Int, { description: "Position among the session's messages: 1, 2, 3… without gaps." }) seq: number;
  @Field(() => MessageAuthorEnum) author: MessageRecord['author'];
  @Field(() => MessageVisibilityEnum) visibility: MessageRecord['visibility'];
  @Field(() => String, { nullable: true }) authorName: string | null;
  @Field(() => String, { nullable: true, description: "The runtime's own id of this message." }) callerMessageId:
    | string
    | null;
  @Field(() => DateTime, { nullable: true, description: 'When its author deleted it; from then on, do not show it.' })
  deletedAt: string | null;
  @Field(() => DateTime, {
    nullable: true,
    description: 'When its author last edited it; `text` and `content` are the newest.',
  })
  editedAt?: string | null;
  @Field(() => ChannelStateEnum, {
    nullable: true,
    description: 'The last report of reportChannelDelivery or markSupportMessagesRead.',
  })
  channelState: MessageRecord['channelState'];
  @Field(() => DateTime, { description: "When it was recorded; for an agent's message, the provider's time." })
  createdAt: string;
}

export const SupportMessageConnection = connectionOf('SupportMessage', () => SupportMessage);
