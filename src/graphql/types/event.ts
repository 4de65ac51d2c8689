import { Field, ID, Int, InterfaceType, ObjectType } from 'type-graphql';
import type { Control } from '../../core/control';
import type { EventRecord, EventType } from '../../core/event';
import type { HandoffEndReason as EndReason, HandoffState as State } from '../../core/handoff';
import { ChannelStateEnum, HandoffEndReason, HandoffState, MessageAuthorEnum, MessageVisibilityEnum, SupportControl } from './enums';
import { DateTime } from './scalars';

/** An event as resolvers see it: its body's fields beside its own. */
export type EventView = EventRecord & { readonly __typename: string };

const TYPENAMES: Readonly<Record<EventType, string>> = {
  SESSION_OPENED: 'SupportSessionOpened',
  SESSION_CLOSED: 'SupportSessionClosed',
  MESSAGE_RECORDED: 'SupportMessageRecorded',
  CONTROL_CHANGED: 'SupportControlChanged',
  HANDOFF_CHANGED: 'SupportHandoffChanged',
  MESSAGE_DELETED: 'SupportMessageDeleted',
  MESSAGE_STATE_CHANGED: 'SupportMessageStateChanged',
  MESSAGES_READ: 'SupportMessagesRead',
  AGENTS_READ: 'SupportAgentsRead',
  SURVEY_OFFERED: 'SupportSurveyOffered',
  SURVEY_ANSWERED: 'SupportSurveyAnswered',
  DELIVERY_PARKED: 'SupportDeliveryParked',
};
export const eventView = (event: EventRecord): EventView => ({ ...event.body, ...event, __typename: TYPENAMES[event.body.type] });

@InterfaceType({ description: 'One fact of a session\'s history.', resolveType: (value: EventView) => value.__typename })
export abstract class SupportSessionEvent {
  @Field(() => Int, { description: '1, 2, 3… without gaps within the session.' }) seq: number;
  @Field(() => DateTime) at: string;
}

const implementsEvent = { implements: SupportSessionEvent, simpleResolvers: true } as const;

@ObjectType({ ...implementsEvent, description: 'The runtime opened the session.' })
export class SupportSessionOpened extends SupportSessionEvent {}

@ObjectType({ ...implementsEvent, description: 'The session was closed.' })
export class SupportSessionClosed extends SupportSessionEvent {}

@ObjectType({ ...implementsEvent, description: 'Something was said.' })
export class SupportMessageRecorded extends SupportSessionEvent {
  @Field(() => MessageAuthorEnum) author: string;
  @Field(() => MessageVisibilityEnum) visibility: string;
}

@ObjectType({ ...implementsEvent, description: 'Somebody else may answer from now on.' })
export class SupportControlChanged extends SupportSessionEvent {
  @Field(() => SupportControl) control: Control;
  @Field(() => Int) epoch: number;
  @Field(() => String) cause: string;
}

@ObjectType({ ...implementsEvent, description: 'A handoff began or moved on.' })
export class SupportHandoffChanged extends SupportSessionEvent {
  @Field(() => HandoffState, { nullable: true, description: 'Null: it began.' }) from: State | null;
  @Field(() => HandoffState) to: State;
  @Field(() => String) cause: string;
  @Field(() => HandoffEndReason, { nullable: true }) endReason: EndReason | null;
  @Field(() => String, { nullable: true }) agentName: string | null;
}

@ObjectType({ ...implementsEvent, description: 'Its author took a message back.' })
export class SupportMessageDeleted extends SupportSessionEvent {}

@ObjectType({ ...implementsEvent, description: 'The runtime reported what became of a message on the end-user\'s channel.' })
export class SupportMessageStateChanged extends SupportSessionEvent {
  @Field(() => ID) messageId: string;
  @Field(() => ChannelStateEnum) state: string;
}

@ObjectType({ ...implementsEvent, description: 'The end-user has read what was said to them.' })
export class SupportMessagesRead extends SupportSessionEvent {
  @Field(() => Int, { description: 'Every message up to this `seq`, but for those that failed.' }) throughSeq: number;
}

@ObjectType({ ...implementsEvent, description: 'Agents have read what was said.' })
export class SupportAgentsRead extends SupportSessionEvent {
  @Field(() => DateTime, { description: 'Everything up to this moment.' }) readAt: string;
}

@ObjectType({ ...implementsEvent, description: 'The end-user was asked how it was.' })
export class SupportSurveyOffered extends SupportSessionEvent {}

@ObjectType({ ...implementsEvent, description: 'The end-user answered the survey.' })
export class SupportSurveyAnswered extends SupportSessionEvent {
  @Field(() => Int) rating: number;
}

@ObjectType({ ...implementsEvent, description: 'Something owed could not be delivered and waits for an operator.' })
export class SupportDeliveryParked extends SupportSessionEvent {
  @Field(() => String) kind: string;
  @Field(() => String, { description: 'Stable; see docs/errors.md.' }) code: string;
}
