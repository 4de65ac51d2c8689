import { Field, Int, InterfaceType, ObjectType } from 'type-graphql';
import type { Control } from '../../core/control';
import type { EventRecord, EventType } from '../../core/event';
import type { HandoffEndReason as EndReason, HandoffState as State } from '../../core/handoff';
import { HandoffEndReason, HandoffState, MessageAuthorEnum, MessageVisibilityEnum, SupportControl } from './enums';
import { DateTime } from './scalars';

/** An event as resolvers see it: its body's fields beside its own. */
export type EventView = EventRecord & { readonly __typename: string };

const TYPENAMES: Readonly<Record<EventType, string>> = {
  SESSION_OPENED: 'SupportSessionOpened',
  SESSION_CLOSED: 'SupportSessionClosed',
  MESSAGE_RECORDED: 'SupportMessageRecorded',
  CONTROL_CHANGED: 'SupportControlChanged',
  HANDOFF_CHANGED: 'SupportHandoffChanged',
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

@ObjectType({ ...implementsEvent, description: 'Something owed could not be delivered and waits for an operator.' })
export class SupportDeliveryParked extends SupportSessionEvent {
  @Field(() => String) kind: string;
  @Field(() => String, { description: 'Stable; see docs/errors.md.' }) code: string;
}
