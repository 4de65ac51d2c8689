import { Field, ID, InputType, Int } from 'type-graphql';
import type { HandoffPriority as Priority, HandoffState as State } from '../../core/handoff';
import { SupportMessageContentInput } from '../messages/content-inputs';
import { ChannelStateEnum, HandoffCancelReason, HandoffPriority, HandoffState, OnControlLost } from '../shared/enums';
import type { ChannelState } from '../../core/message';
import { ByteSize, DateTime, Json } from '../shared/scalars';

export const KEY_DESCRIPTION =
  'The same key with the same input gives the same result, however often it is sent; 1 to 200 characters.';

const SENT_AT = {
  nullable: true,
  description:
    'When the message was written, if it was imported or delayed. If omitted: now. At most one minute in the future and 10 years in the past. Displayed only; messages are ordered by `seq`. Part of the input that the idempotency key identifies.',
} as const;

@InputType({ description: 'Omitted fields stay unchanged.' })
export class SupportEndUserInput {
  @Field(() => String, { nullable: true }) externalId?: string | null;
  @Field(() => String, { nullable: true }) name?: string | null;
  @Field(() => String, { nullable: true }) email?: string | null;
  @Field(() => String, { nullable: true }) phone?: string | null;
  @Field(() => String, { nullable: true, description: 'BCP 47, e.g. `de-AT`.' }) locale?: string | null;
  @Field(() => Json, { nullable: true, description: 'Named texts, e.g. `{ "plan": "gold" }`.' }) attributes?: unknown;
}

@InputType()
export class SupportAttachmentInput {
  @Field(() => String, {
    description:
      'The file is downloaded from here immediately and archived. The link is not given to anyone and may expire afterwards.',
  })
  url: string;
  @Field(() => String) name: string;
  @Field(() => String, { description: 'MIME type, e.g. `image/png`.' }) contentType: string;
  @Field(() => ByteSize, { nullable: true }) sizeBytes?: number | null;
}

@InputType()
export class OpenSupportSessionInput {
  @Field(() => ID) chatbotId: string;
  @Field(() => String, { description: "The runtime's channel name, e.g. `web`; 1 to 100 characters." }) channel: string;
  @Field(() => String, { description: 'Your own id of the session; 1 to 200 characters.' }) externalId: string;
  @Field(() => SupportEndUserInput, { nullable: true }) endUser?: SupportEndUserInput | null;
}

@InputType()
export class RecordEndUserMessageInput {
  @Field(() => ID) sessionId: string;
  @Field(() => String, { defaultValue: '', description: 'May be omitted if `content` or attachments are given.' })
  text: string;
  @Field(() => SupportMessageContentInput, { nullable: true }) content?: SupportMessageContentInput | null;
  @Field(() => [SupportAttachmentInput], { nullable: true }) attachments?: SupportAttachmentInput[] | null;
  @Field(() => String, { nullable: true, description: 'Your own id of this message. If omitted: the idempotency key.' })
  messageId?: string | null;
  @Field(() => ID, { nullable: true, description: 'The `id` of the message to which this one replies.' }) replyTo?:
    | string
    | null;
  @Field(() => DateTime, SENT_AT) saidAt?: unknown;
  @Field(() => String, { description: KEY_DESCRIPTION }) idempotencyKey: string;
}

@InputType()
export class SendBotMessageInput {
  @Field(() => ID) sessionId: string;
  @Field(() => Int, { description: 'The epoch that the bot believes to be current, from the last result or event.' })
  epoch: number;
  @Field(() => String, { defaultValue: '', description: 'May be omitted if `content` or attachments are given.' })
  text: string;
  @Field(() => SupportMessageContentInput, { nullable: true }) content?: SupportMessageContentInput | null;
  @Field(() => [SupportAttachmentInput], { nullable: true }) attachments?: SupportAttachmentInput[] | null;
  @Field(() => String, { nullable: true, description: 'Your own id of this message. If omitted: the idempotency key.' })
  messageId?: string | null;
  @Field(() => ID, { nullable: true, description: 'The `id` of the message to which this one replies.' }) replyTo?:
    | string
    | null;
  @Field(() => DateTime, SENT_AT) saidAt?: unknown;
  @Field(() => OnControlLost, { defaultValue: OnControlLost.REJECT }) onControlLost: 'REJECT' | 'SUGGEST';
  @Field(() => String, { description: KEY_DESCRIPTION }) idempotencyKey: string;
}

@InputType({ description: 'Give one of the two, or neither for the queue of the inbox.' })
export class HandoffTargetInput {
  @Field(() => ID, { nullable: true, description: "The `id` of a SupportTeam, or the provider's id." }) team?:
    | string
    | null;
  @Field(() => ID, { nullable: true, description: "The `id` of a SupportAgent, or the provider's id." }) agent?:
    | string
    | null;
}

@InputType()
export class HandoffLinkInput {
  @Field(() => String, { description: '1 to 200 characters.' }) label: string;
  @Field(() => String, { description: 'http or https.' }) url: string;
}

@InputType()
export class RequestHandoffInput {
  @Field(() => ID) sessionId: string;
  @Field(() => HandoffTargetInput, { nullable: true }) target?: HandoffTargetInput | null;
  @Field(() => String, { nullable: true, description: 'The reason for the handoff; agents see it.' }) reason?:
    | string
    | null;
  @Field(() => String, { nullable: true, description: 'A summary of the session so far; agents see it.' }) summary?:
    | string
    | null;
  @Field(() => String, { nullable: true }) intent?: string | null;
  @Field(() => Json, { nullable: true, description: 'Named texts for the agents, e.g. `{ "order": "A-17" }`.' })
  fields?: unknown;
  @Field(() => [HandoffLinkInput], {
    nullable: true,
    description: 'Pages of your platform for the agents; at most 20.',
  })
  links?: HandoffLinkInput[] | null;
  @Field(() => HandoffPriority, { nullable: true }) priority?: Priority | null;
  @Field(() => String, { nullable: true, description: 'Returned with the outcome, unchanged.' }) resumeTarget?:
    | string
    | null;
  @Field(() => Int, {
    nullable: true,
    description: 'Refused if it is not the current epoch. If omitted, it is not checked.',
  })
  epoch?: number | null;
  @Field(() => String, { description: KEY_DESCRIPTION }) idempotencyKey: string;
}

@InputType({ description: 'Give the handoff, or the session whose live handoff is meant.' })
export class CancelHandoffInput {
  @Field(() => ID, { nullable: true }) handoffId?: string | null;
  @Field(() => ID, { nullable: true }) sessionId?: string | null;
  @Field(() => HandoffCancelReason, { defaultValue: HandoffCancelReason.BOT_CANCELLED }) reason:
    | 'BOT_CANCELLED'
    | 'USER_ENDED';
  @Field(() => String, { description: KEY_DESCRIPTION }) idempotencyKey: string;
}

@InputType({ description: 'Give the handoff, or the session whose live handoff is meant.' })
export class EndHandoffInput {
  @Field(() => ID, { nullable: true }) handoffId?: string | null;
  @Field(() => ID, { nullable: true }) sessionId?: string | null;
  @Field(() => String, { description: KEY_DESCRIPTION }) idempotencyKey: string;
}

@InputType()
export class CloseSupportSessionInput {
  @Field(() => ID) sessionId: string;
  @Field(() => String, { description: KEY_DESCRIPTION }) idempotencyKey: string;
}

@InputType()
export class ReportChannelDeliveryInput {
  @Field(() => ID) sessionId: string;
  @Field(() => ID, { description: 'A public message of an agent, of the bot, or of this service.' }) messageId: string;
  @Field(() => ChannelStateEnum) state: ChannelState;
  @Field(() => String, { nullable: true, description: 'With FAILED: the reason; agents see it. Up to 500 characters.' })
  error?: string | null;
  @Field(() => String, { description: KEY_DESCRIPTION }) idempotencyKey: string;
}

@InputType()
export class AnswerSurveyInput {
  @Field(() => ID) handoffId: string;
  @Field(() => Int, { description: "The rating of one of the survey's choices." }) rating: number;
  @Field(() => String, { nullable: true, description: 'Up to 5000 characters.' }) comment?: string | null;
  @Field(() => String, { description: KEY_DESCRIPTION }) idempotencyKey: string;
}

@InputType()
export class AcknowledgeRuntimeDeliveriesInput {
  @Field(() => [ID], { description: 'At most 500.' }) ids: string[];
}

@InputType({ description: 'Give the same chatbotId and sessionId as for the list that the cursor comes from.' })
export class AcknowledgeRuntimeDeliveriesThroughInput {
  @Field(() => String, { description: 'A cursor of supportRuntimeInbox or supportRuntimeDeliveries.' }) cursor: string;
  @Field(() => ID, { nullable: true, description: 'Only deliveries of this chatbot.' }) chatbotId?: string | null;
  @Field(() => ID, { nullable: true, description: 'Only deliveries of this session.' }) sessionId?: string | null;
}

@InputType({ description: 'All given conditions must hold. An empty list matches nothing.' })
export class HandoffFilterInput {
  @Field(() => [ID], { nullable: true }) chatbotIds?: string[] | null;
  @Field(() => [HandoffState], { nullable: true }) states?: State[] | null;
  @Field(() => Boolean, { nullable: true, description: 'True: the state is not final. False: it is.' }) live?:
    | boolean
    | null;
  @Field(() => [ID], { nullable: true, description: 'The requested teams.' }) teamIds?: string[] | null;
  @Field(() => ID, { nullable: true }) sessionId?: string | null;
}
