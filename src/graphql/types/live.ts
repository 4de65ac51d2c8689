import { Field, Int, ObjectType } from 'type-graphql';
import type { Control } from '../../core/control';
import { ListSize } from '../cost/list-size';
import type { HandoffState as State } from '../../core/handoff';
import { HandoffState, SupportControl } from './enums';
import { SupportHandoffChanged, SupportSessionEvent } from './event';
import { Handoff } from './handoff';
import { SupportSession } from './session';
import { DateTime } from './scalars';

@ObjectType({ simpleResolvers: true, description: 'Without `after`: one snapshot, then one event after the other. With `after`: events only.' })
export class SupportSessionEventItem {
  @Field(() => Int, { description: 'Give the last one seen as `after` to resume.' }) seq: number;
  @Field(() => SupportSession, { nullable: true, description: 'Only in the first item of a subscription without `after`: the session now.' }) snapshot: unknown;
  @Field(() => SupportSessionEvent, { nullable: true, description: 'In every other item.' }) event: unknown;
}

@ObjectType({ simpleResolvers: true, description: 'Who may answer, as of the event `seq`: all fields but `session` and `handoff` belong to that moment.' })
export class SupportConversationStatus {
  @Field(() => Int, { description: 'Give the last one seen as `after` to resume.' }) seq: number;
  @Field(() => DateTime) at: string;
  @Field(() => Boolean, { description: 'The first item of a subscription without `after`: the state as of the last event, not a change.' }) isSnapshot: boolean;
  @Field(() => SupportControl) control: Control;
  @Field(() => Int) epoch: number;
  @Field(() => Boolean, { description: 'Whether a bot message with this epoch would reach the end-user.' }) mayReply: boolean;
  @Field(() => Boolean) isClosed: boolean;
  @Field(() => HandoffState, { nullable: true, description: 'Of the newest handoff, live or over, as of this event.' }) handoffState: State | null;
  @Field(() => String, { nullable: true, description: 'What made the change, its last step if it had several; null in the snapshot.' }) cause: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'The live handoffs of a filter.' })
export class HandoffSnapshot {
  @ListSize(200)
  @Field(() => [Handoff], { description: 'Newest first.' }) handoffs: unknown[];
  @Field(() => Boolean, { description: 'False: there are more; page through `handoffs`.' }) isComplete: boolean;
}

@ObjectType({ simpleResolvers: true, description: 'Without `after`: one snapshot, then one change after the other. With `after`: changes only.' })
export class HandoffChangeItem {
  @Field(() => String, { description: 'Give the last one seen as `after` to resume.' }) cursor: string;
  @Field(() => HandoffSnapshot, { nullable: true, description: 'Only in the first item of a subscription without `after`.' }) snapshot: unknown;
  @Field(() => SupportHandoffChanged, { nullable: true, description: 'In every other item.' }) change: unknown;
}
