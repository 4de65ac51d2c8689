import { Field, ID, Int, InterfaceType, ObjectType } from 'type-graphql';
import type { Control } from '../../core/control';
import type { DeliveryOutcome } from '../../core/delivery';
import type { EventRecord, EventType } from '../../core/event';
import type { HandoffEndReason as EndReason, HandoffState as State } from '../../core/handoff';
import {
  ChannelStateEnum,
  EndpointDisabledReasonEnum,
  HandoffEndReason,
  HandoffState,
  MessageAuthorEnum,
  MessageVisibilityEnum,
  ReactionSideEnum,
  SupportControl,
  SupportDeliveryOutcome,
} from '../shared/enums';
import { DateTime } from '../shared/scalars';

/** An event as resolvers see it: the fields of its body together with its own. */
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
  DELIVERY_RESENT: 'SupportDeliveryResent',
  DELIVERY_DISCARDED: 'SupportDeliveryDiscarded',
  RUNTIME_ENDPOINT_DISABLED: 'SupportRuntimeEndpointDisabled',
};
export const eventView = (event: EventRecord): EventView => ({
  ...event.body,
  ...event,
  __typename: TYPENAMES[event.body.type],
});

@InterfaceType({ description: "One fact of a session's history.", resolveType: (value: EventView) => value.__typename })
export abstract class SupportSessionEvent {
  @Field(() => Int, { description: '1, 2, 3… without gaps within the session.' }) seq: number;
  @Field(() => DateTime) at: string;
}

const implementsEvent = { implements: SupportSessionEvent, simpleResolvers: true } as const;

@ObjectType({ ...implementsEvent, description: 'The runtime opened the session.' })
export class SupportSessionOpened extends SupportSessionEvent {}

@ObjectType({ ...implementsEvent, description: 'The session was closed.' })
export class SupportSessionClosed extends SupportSessionEvent {}

@ObjectType({ ...implementsEvent, description: 'A message was recorded.' })
export class SupportMessageRecorded extends SupportSessionEvent {
  @Field(() => MessageAuthorEnum) author: string;
  @Field(() => MessageVisibilityEnum) visibility: string;
}

@ObjectType({ ...implementsEvent, description: 'The party that may answer changed.' })
export class SupportControlChanged extends SupportSessionEvent {
  @Field(() => SupportControl) control: Control;
  @Field(() => Int) epoch: number;
  @Field(() => String) cause: string;
}

@ObjectType({ ...implementsEvent, description: 'A handoff began or changed its state.' })
export class SupportHandoffChanged extends SupportSessionEvent {
  @Field(() => HandoffState, { nullable: true, description: 'Null: the handoff began.' }) from: State | null;
  @Field(() => HandoffState) to: State;
  @Field(() => String) cause: string;
  @Field(() => HandoffEndReason, { nullable: true }) endReason: EndReason | null;
  @Field(() => String, { nullable: true }) agentName: string | null;
}

@ObjectType({ ...implementsEvent, description: 'The author deleted a message.' })
export class SupportMessageDeleted extends SupportSessionEvent {}

@ObjectType({ ...implementsEvent, description: 'The author edited a message.' })
export class SupportMessageEdited extends SupportSessionEvent {}

@ObjectType({
  ...implementsEvent,
  description: 'The end-user or the bot added, changed or removed a reaction to a message.',
})
export class SupportMessageReacted extends SupportSessionEvent {
  @Field(() => ReactionSideEnum) by: string;
  @Field(() => String, { nullable: true, description: 'Null: the reaction was removed.' }) emoji: string | null;
}

@ObjectType({
  ...implementsEvent,
  description: "The runtime reported the state of a message on the end-user's channel.",
})
export class SupportMessageStateChanged extends SupportSessionEvent {
  @Field(() => ID) messageId: string;
  @Field(() => ChannelStateEnum) state: string;
}

@ObjectType({ ...implementsEvent, description: 'The end-user has read messages.' })
export class SupportMessagesRead extends SupportSessionEvent {
  @Field(() => Int, { description: 'All messages up to this `seq` are read, except those that failed.' })
  throughSeq: number;
}

@ObjectType({ ...implementsEvent, description: 'Agents have read messages.' })
export class SupportAgentsRead extends SupportSessionEvent {
  @Field(() => DateTime, { description: 'Everything up to this time is read.' }) readAt: string;
}

@ObjectType({ ...implementsEvent, description: 'The end-user was offered a satisfaction survey.' })
export class SupportSurveyOffered extends SupportSessionEvent {}

@ObjectType({ ...implementsEvent, description: 'The end-user answered the survey.' })
export class SupportSurveyAnswered extends SupportSessionEvent {
  @Field(() => Int) rating: number;
}

// Nullable in all three types: otherwise no document could select the field in more than one of them.
const LETTER = {
  nullable: true,
  description: 'The id in supportDeadLetters. Null only in a SupportDeliveryParked of an earlier version.',
} as const;
@ObjectType({
  ...implementsEvent,
  description:
    "After a failed push of this session, the runtime's endpoint was disabled. Deliveries wait in the runtime inbox.",
})
export class SupportRuntimeEndpointDisabled extends SupportSessionEvent {
  @Field(() => ID) endpointId: string;
  @Field(() => EndpointDisabledReasonEnum) reason: string;
  @Field(() => String, { description: 'Code of the last failure; stable, see docs/errors.md.' }) code: string;
}

@ObjectType({ ...implementsEvent, description: 'A delivery failed for good and waits for an operator.' })
export class SupportDeliveryParked extends SupportSessionEvent {
  @Field(() => ID, LETTER) deliveryId?: string | null;
  @Field(() => String) kind: string;
  @Field(() => String, { description: 'Stable; see docs/errors.md.' }) code: string;
  @Field(() => SupportDeliveryOutcome, {
    nullable: true,
    description: 'UNKNOWN if it may have reached its receiver nevertheless. Null only in events of earlier versions.',
  })
  outcome?: DeliveryOutcome | null;
}

@ObjectType({
  ...implementsEvent,
  description: 'An operator resent a dead letter: it is pending again, at its old position in the lane.',
})
export class SupportDeliveryResent extends SupportSessionEvent {
  @Field(() => ID, LETTER) deliveryId: string | null;
  @Field(() => String) kind: string;
  @Field(() => ID, { nullable: true, description: 'The user who did it, if the caller was a user.' }) by: string | null;
  @Field(() => Boolean, {
    nullable: true,
    description:
      'True: the operator stated that it did not reach the provider, so it is written without a lookup. Otherwise null.',
  })
  skipLookup?: boolean | null;
}

@ObjectType({ ...implementsEvent, description: 'An operator discarded a dead letter.' })
export class SupportDeliveryDiscarded extends SupportSessionEvent {
  @Field(() => ID, LETTER) deliveryId: string | null;
  @Field(() => String) kind: string;
  @Field(() => String) reason: string;
  @Field(() => ID, { nullable: true, description: 'The user who did it, if the caller was a user.' }) by: string | null;
}
