import { Field, ID, InputType, Int } from 'type-graphql';
import type { HandoffPriority as Priority, HandoffState as State } from '../../core/handoff';
import { SupportMessageContentInput } from './content-inputs';
import { ChannelStateEnum, HandoffCancelReason, HandoffPriority, HandoffState, OnControlLost } from './enums';
import type { ChannelState } from '../../core/message';
import { ByteSize, DateTime, Json } from './scalars';

export const KEY = 'The same key and input give the same answer, however often they are sent; 1 to 200 characters.';

const SAID_AT = { nullable: true, description: 'When it was said, for a message that is imported or was delayed; now, if absent. At most a minute ahead and 10 years ago. Shown to people, never used for order; part of what the idempotency key stands for.' } as const;

@InputType({ description: 'What is not given stays as it is.' })
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
  @Field(() => String, { description: 'The provider fetches it from here.' }) url: string;
  @Field(() => String) name: string;
  @Field(() => String, { description: 'MIME type, e.g. `image/png`.' }) contentType: string;
  @Field(() => ByteSize, { nullable: true }) sizeBytes?: number | null;
}

@InputType()
export class OpenSupportSessionInput {
  @Field(() => ID) chatbotId: string;
  @Field(() => String, { description: 'Your channel\'s name, e.g. `web`; 1 to 100 characters.' }) channel: string;
  @Field(() => String, { description: 'Your own id of the session; 1 to 200 characters.' }) externalId: string;
  @Field(() => SupportEndUserInput, { nullable: true }) endUser?: SupportEndUserInput | null;
}

@InputType()
export class RecordEndUserMessageInput {
  @Field(() => ID) sessionId: string;
  @Field(() => String, { defaultValue: '', description: 'May be left out beside `content` or attachments.' }) text: string;
  @Field(() => SupportMessageContentInput, { nullable: true }) content?: SupportMessageContentInput | null;
  @Field(() => [SupportAttachmentInput], { nullable: true }) attachments?: SupportAttachmentInput[] | null;
  @Field(() => String, { nullable: true, description: 'Your own id of this turn; the idempotency key serves when absent.' }) messageId?: string | null;
  @Field(() => ID, { nullable: true, description: 'Our id of the message that this one answers.' }) replyTo?: string | null;
  @Field(() => DateTime, SAID_AT) saidAt?: unknown;
  @Field(() => String, { description: KEY }) idempotencyKey: string;
}

@InputType()
export class SendBotMessageInput {
  @Field(() => ID) sessionId: string;
  @Field(() => Int, { description: 'The epoch the bot believes in, from the last answer or event.' }) epoch: number;
  @Field(() => String, { defaultValue: '', description: 'May be left out beside `content` or attachments.' }) text: string;
  @Field(() => SupportMessageContentInput, { nullable: true }) content?: SupportMessageContentInput | null;
  @Field(() => [SupportAttachmentInput], { nullable: true }) attachments?: SupportAttachmentInput[] | null;
  @Field(() => String, { nullable: true, description: 'Your own id of this turn; the idempotency key serves when absent.' }) messageId?: string | null;
  @Field(() => ID, { nullable: true, description: 'Our id of the message that this one answers.' }) replyTo?: string | null;
  @Field(() => DateTime, SAID_AT) saidAt?: unknown;
  @Field(() => OnControlLost, { defaultValue: OnControlLost.REJECT }) onControlLost: 'REJECT' | 'SUGGEST';
  @Field(() => String, { description: KEY }) idempotencyKey: string;
}

@InputType({ description: 'Give one of the two, or neither for the inbox\'s own queue.' })
export class HandoffTargetInput {
  @Field(() => ID, { nullable: true, description: 'Our id, or the provider\'s own number.' }) team?: string | null;
  @Field(() => ID, { nullable: true, description: 'Our id, or the provider\'s own number.' }) agent?: string | null;
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
  @Field(() => String, { nullable: true, description: 'Why, for the agents.' }) reason?: string | null;
  @Field(() => String, { nullable: true, description: 'What happened so far, for the agents.' }) summary?: string | null;
  @Field(() => String, { nullable: true }) intent?: string | null;
  @Field(() => Json, { nullable: true, description: 'Named texts for the agents, e.g. `{ "order": "A-17" }`.' }) fields?: unknown;
  @Field(() => [HandoffLinkInput], { nullable: true, description: 'Pages of your platform for the agents; at most 20.' }) links?: HandoffLinkInput[] | null;
  @Field(() => HandoffPriority, { nullable: true }) priority?: Priority | null;
  @Field(() => String, { nullable: true, description: 'Comes back with the outcome, unchanged.' }) resumeTarget?: string | null;
  @Field(() => Int, { nullable: true, description: 'Refused when it is not the current one. Absent: not checked.' }) epoch?: number | null;
  @Field(() => String, { description: KEY }) idempotencyKey: string;
}

@InputType({ description: 'Name the handoff, or the session whose live handoff is meant.' })
export class CancelHandoffInput {
  @Field(() => ID, { nullable: true }) handoffId?: string | null;
  @Field(() => ID, { nullable: true }) sessionId?: string | null;
  @Field(() => HandoffCancelReason, { defaultValue: HandoffCancelReason.BOT_CANCELLED }) reason: 'BOT_CANCELLED' | 'USER_ENDED';
  @Field(() => String, { description: KEY }) idempotencyKey: string;
}

@InputType({ description: 'Name the handoff, or the session whose live handoff is meant.' })
export class EndHandoffInput {
  @Field(() => ID, { nullable: true }) handoffId?: string | null;
  @Field(() => ID, { nullable: true }) sessionId?: string | null;
  @Field(() => String, { description: KEY }) idempotencyKey: string;
}

@InputType()
export class CloseSupportSessionInput {
  @Field(() => ID) sessionId: string;
  @Field(() => String, { description: KEY }) idempotencyKey: string;
}

@InputType()
export class ReportChannelDeliveryInput {
  @Field(() => ID) sessionId: string;
  @Field(() => ID, { description: 'A public message of an agent, of the bot, or of ours.' }) messageId: string;
  @Field(() => ChannelStateEnum) state: ChannelState;
  @Field(() => String, { nullable: true, description: 'With FAILED: why, for the agents; up to 500 characters.' }) error?: string | null;
  @Field(() => String, { description: KEY }) idempotencyKey: string;
}

@InputType()
export class AnswerSurveyInput {
  @Field(() => ID) handoffId: string;
  @Field(() => Int, { description: 'One of the survey\'s choices.' }) rating: number;
  @Field(() => String, { nullable: true, description: 'Up to 5000 characters.' }) comment?: string | null;
  @Field(() => String, { description: KEY }) idempotencyKey: string;
}

@InputType()
export class AcknowledgeRuntimeDeliveriesInput {
  @Field(() => [ID], { description: 'At most 500.' }) ids: string[];
}

@InputType({ description: 'What is left out is as in the list that the cursor comes from.' })
export class AcknowledgeRuntimeDeliveriesThroughInput {
  @Field(() => String, { description: 'Of supportRuntimeInbox or supportRuntimeDeliveries.' }) cursor: string;
  @Field(() => ID, { nullable: true, description: 'Only this chatbot\'s.' }) chatbotId?: string | null;
  @Field(() => ID, { nullable: true, description: 'Only this session\'s.' }) sessionId?: string | null;
}

@InputType({ description: 'All that is given must hold. An empty list matches nothing.' })
export class HandoffFilterInput {
  @Field(() => [ID], { nullable: true }) chatbotIds?: string[] | null;
  @Field(() => [HandoffState], { nullable: true }) states?: State[] | null;
  @Field(() => Boolean, { nullable: true, description: 'True: not yet final.' }) live?: boolean | null;
  @Field(() => [ID], { nullable: true, description: 'The team that was asked for.' }) teamIds?: string[] | null;
  @Field(() => ID, { nullable: true }) sessionId?: string | null;
}
