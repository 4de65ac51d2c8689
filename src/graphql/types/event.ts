import { Field, ID, Int, InterfaceType, ObjectType } from 'type-graphql';
import type { Control } from '../../core/control';
import type { DeliveryOutcome } from '../../core/delivery';
import type { EventRecord, EventType } from '../../core/event';
import type { HandoffEndReason as EndReason, HandoffState as State } from '../../core/handoff';
import { ChannelStateEnum, EndpointDisabledReasonEnum, HandoffEndReason, HandoffState, MessageAuthorEnum, MessageVisibilityEnum, ReactionSideEnum, SupportControl, SupportDeliveryOutcome } from './enums';
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
  MESSAGE_EDITED: 'SupportMessageEdited',
  MESSAGE_REACTED: 'SupportMessageReacted',
  MESSAGE_STATE_CHANGED: 'SupportMessageStateChanged',
  MESSAGES_READ: 'SupportMessagesRead',
  AGENTS_READ: 'SupportAgentsRead',
  SURVEY_OFFERED: 'SupportSurveyOffered',
  SURVEY_ANSWERED: 'SupportSurveyAnswered',
  DELIVERY_PARKED: 'SupportDeliveryParked',
  DELIVERY_SENT_AGAIN: 'SupportDeliverySentAgain',
  DELIVERY_DISCARDED: 'SupportDeliveryDiscarded',
  RUNTIME_ENDPOINT_DISABLED: 'SupportRuntimeEndpointDisabled',
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

@ObjectType({ ...implementsEvent, description: 'Its author said a message anew.' })
export class SupportMessageEdited extends SupportSessionEvent {}

@ObjectType({ ...implementsEvent, description: 'The end-user or the bot reacted to a message, or took that back.' })
export class SupportMessageReacted extends SupportSessionEvent {
  @Field(() => ReactionSideEnum) by: string;
  @Field(() => String, { nullable: true, description: 'Null: taken back.' }) emoji: string | null;
}

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

// Nullable in all three: else no document could ask for it in more than one of them.
const LETTER = { nullable: true, description: 'Its id in supportDeadLetters; null only in SupportDeliveryParked of earlier versions.' } as const;
@ObjectType({ ...implementsEvent, description: 'A push of this session was the last that its runtime\'s endpoint failed: it is switched off, and deliveries wait in the inbox.' })
export class SupportRuntimeEndpointDisabled extends SupportSessionEvent {
  @Field(() => ID) endpointId: string;
  @Field(() => EndpointDisabledReasonEnum) reason: string;
  @Field(() => String, { description: 'Of the last failure; stable, see docs/errors.md.' }) code: string;
}

@ObjectType({ ...implementsEvent, description: 'Something owed could not be delivered and waits for an operator.' })
export class SupportDeliveryParked extends SupportSessionEvent {
  @Field(() => ID, LETTER) deliveryId?: string | null;
  @Field(() => String) kind: string;
  @Field(() => String, { description: 'Stable; see docs/errors.md.' }) code: string;
  @Field(() => SupportDeliveryOutcome, { nullable: true, description: 'Whether it may be there all the same; null only in events of earlier versions.' }) outcome?: DeliveryOutcome | null;
}

@ObjectType({ ...implementsEvent, description: 'An operator sent a dead letter again: it is owed once more, in its old place.' })
export class SupportDeliverySentAgain extends SupportSessionEvent {
  @Field(() => ID, LETTER) deliveryId: string | null;
  @Field(() => String) kind: string;
  @Field(() => ID, { nullable: true, description: 'The user who did it, when it was one.' }) by: string | null;
  @Field(() => Boolean, { nullable: true, description: 'True: the operator has said that it is not there, so it is written without a look. Else null.' }) writesAtOnce?: boolean | null;
}

@ObjectType({ ...implementsEvent, description: 'An operator gave a dead letter up for good.' })
export class SupportDeliveryDiscarded extends SupportSessionEvent {
  @Field(() => ID, LETTER) deliveryId: string | null;
  @Field(() => String) kind: string;
  @Field(() => String) reason: string;
  @Field(() => ID, { nullable: true, description: 'The user who did it, when it was one.' }) by: string | null;
}
