import { Field, Int, ObjectType } from 'type-graphql';
import type { Control } from '../core/control';
import { ListSize } from './cost/list-size';
import type { HandoffState as State } from '../core/handoff';
import { HandoffState, SupportControl } from './shared/enums';
import { SupportHandoffChanged, SupportSessionEvent } from './sessions/event-types';
import { Handoff } from './handoffs/types';
import { SupportSession } from './sessions/types';
import { DateTime } from './shared/scalars';

@ObjectType({
  simpleResolvers: true,
  description:
    'An item of a subscription. Without `after`: first a snapshot, then one event per item. With `after`: events only.',
})
export class SupportSessionEventItem {
  @Field(() => Int, { description: 'Pass the last value seen as `after` to resume.' }) seq: number;
  @Field(() => SupportSession, {
    nullable: true,
    description: 'The current session; only in the first item of a subscription without `after`.',
  })
  snapshot: unknown;
  @Field(() => SupportSessionEvent, { nullable: true, description: 'Set in every other item.' }) event: unknown;
}

@ObjectType({
  simpleResolvers: true,
  description:
    'Control and handoff state as of event `seq`. All fields except `session` and `handoff` describe that moment.',
})
export class SupportConversationStatus {
  @Field(() => Int, { description: 'Pass the last value seen as `after` to resume.' }) seq: number;
  @Field(() => DateTime) at: string;
  @Field(() => Boolean, {
    description:
      'True for the first item of a subscription without `after`: the state as of the last event, not a change.',
  })
  isSnapshot: boolean;
  @Field(() => SupportControl) control: Control;
  @Field(() => Int) epoch: number;
  @Field(() => Boolean, { description: 'True if a bot message with this epoch would reach the end-user.' })
  mayReply: boolean;
  @Field(() => Boolean) isClosed: boolean;
  @Field(() => HandoffState, {
    nullable: true,
    description: 'State of the newest handoff, live or over, as of this event.',
  })
  handoffState: State | null;
  @Field(() => String, {
    nullable: true,
    description: 'The cause of the change, or of its last step if it had several. Null in the snapshot.',
  })
  cause: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'The live handoffs that match a filter.' })
export class HandoffSnapshot {
  @ListSize(200)
  @Field(() => [Handoff], { description: 'Newest first.' })
  handoffs: unknown[];
  @Field(() => Boolean, { description: 'False: there are more; page through `handoffs`.' }) isComplete: boolean;
}

@ObjectType({
  simpleResolvers: true,
  description:
    'An item of a subscription. Without `after`: first a snapshot, then one change per item. With `after`: changes only.',
})
export class HandoffChangeItem {
  @Field(() => String, { description: 'Pass the last value seen as `after` to resume.' }) cursor: string;
  @Field(() => HandoffSnapshot, {
    nullable: true,
    description: 'Set only in the first item of a subscription without `after`.',
  })
  snapshot: unknown;
  @Field(() => SupportHandoffChanged, { nullable: true, description: 'Set in every other item.' }) change: unknown;
}
