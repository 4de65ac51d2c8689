import { createUnionType, Field, ID, ObjectType } from 'type-graphql';
import type { DeliveryOutcome } from '../../core/delivery';
import type { HandoffState as State } from '../../core/handoff';
import { HandoffState, SupportDeliveryOutcome } from './enums';
import { connectionOf } from './page';
import { DateTime } from './scalars';

@ObjectType({ simpleResolvers: true, description: 'An agent, or we, said something that the end-user should read.' })
export class SupportMessageNotice {}

@ObjectType({ simpleResolvers: true, description: 'A handoff moved on.' })
export class HandoffStateNotice {
  @Field(() => HandoffState, { description: 'The state at the time of the notice.' }) state: State;
}

@ObjectType({ simpleResolvers: true, description: 'A handoff is over; the bot goes on from here.' })
export class HandoffOutcomeNotice {}

@ObjectType({ simpleResolvers: true, description: 'An agent took a message back: show it no longer, where your channel can.' })
export class SupportMessageDeletedNotice {}

@ObjectType({ simpleResolvers: true, description: 'A file of the end-user or the bot does not reach the agents. They have the message\'s text and the name of the file.' })
export class SupportFileNotDeliveredNotice {
  @Field(() => String, { description: 'Why: FILE_TOO_LARGE or FILE_MISSING; see docs/errors.md.' }) code: string;
}

@ObjectType({ simpleResolvers: true, description: 'A message of the end-user or the bot did not reach the agents: its delivery is a dead letter, which an operator may send again.' })
export class SupportMessageUndeliveredNotice {
  @Field(() => String, { description: 'Why, as a stable code: see docs/errors.md.' }) code: string;
  @Field(() => SupportDeliveryOutcome, { description: 'Whether the agents may have it all the same.' }) deliveryOutcome: DeliveryOutcome;
}

@ObjectType({ simpleResolvers: true, description: 'A message that did not reach the agents, as a notice said, is with them after all.' })
export class SupportMessageDeliveredNotice {}

@ObjectType({ simpleResolvers: true, description: 'The end-user is asked how it was: see `handoff.survey`, show its url or its choices, and call answerSurvey.' })
export class HandoffSurveyNotice {}

export type NoticeView =
  | { readonly __typename: 'SupportMessageDeletedNotice'; readonly messageId: string }
  | { readonly __typename: 'SupportFileNotDeliveredNotice'; readonly messageId: string; readonly index: number; readonly code: string }
  | { readonly __typename: 'SupportMessageUndeliveredNotice'; readonly messageId: string; readonly code: string; readonly deliveryOutcome: DeliveryOutcome }
  | { readonly __typename: 'SupportMessageDeliveredNotice'; readonly messageId: string }
  | { readonly __typename: 'HandoffSurveyNotice'; readonly handoffId: string }
  | { readonly __typename: 'SupportMessageNotice'; readonly messageId: string }
  | { readonly __typename: 'HandoffStateNotice'; readonly handoffId: string; readonly state: string }
  | { readonly __typename: 'HandoffOutcomeNotice'; readonly handoffId: string };

export const SupportRuntimeNotice = createUnionType({
  name: 'SupportRuntimeNotice',
  description: 'What the bot runtime has to know.',
  types: () => [SupportMessageNotice, HandoffStateNotice, HandoffOutcomeNotice, SupportMessageDeletedNotice, HandoffSurveyNotice, SupportFileNotDeliveredNotice, SupportMessageUndeliveredNotice, SupportMessageDeliveredNotice] as const,
  resolveType: (value) => (value as unknown as NoticeView).__typename,
});

@ObjectType({ simpleResolvers: true, description: 'One thing that the runtime must collect and acknowledge, in order within a session.' })
export class SupportRuntimeDelivery {
  @Field(() => ID, { description: 'The same however often it comes, and however: the webhook-id of a push.' }) id: string;
  @Field(() => String, { description: 'Give it to acknowledgeRuntimeDeliveriesThrough: everything of this list up to here.' }) cursor: string;
  @Field(() => DateTime) createdAt: string;
}

export const SupportRuntimeDeliveryConnection = connectionOf('SupportRuntimeDelivery', () => SupportRuntimeDelivery);
