import { createUnionType, Field, ID, ObjectType } from 'type-graphql';
import type { DeliveryOutcome } from '../../core/delivery';
import type { HandoffState as State } from '../../core/handoff';
import { HandoffState, SupportDeliveryOutcome } from '../shared/enums';
import { connectionOf } from '../shared/page';
import { DateTime } from '../shared/scalars';

@ObjectType({ simpleResolvers: true, description: 'An agent or this service wrote a message for the end-user.' })
export class SupportMessageNotice {}

@ObjectType({ simpleResolvers: true, description: 'A handoff changed its state.' })
export class HandoffStateNotice {
  @Field(() => HandoffState, { description: 'The state at the time of the notice.' }) state: State;
}

@ObjectType({ simpleResolvers: true, description: 'A handoff is over; the bot continues.' })
export class HandoffOutcomeNotice {}

@ObjectType({ simpleResolvers: true, description: 'An agent deleted a message: hide it, if your channel can.' })
export class SupportMessageDeletedNotice {}

@ObjectType({
  simpleResolvers: true,
  description:
    "A file of the end-user or the bot does not reach the agents. They have the message's text and the file's name.",
})
export class SupportFileNotDeliveredNotice {
  @Field(() => String, { description: 'The reason: FILE_TOO_LARGE or FILE_MISSING; see docs/errors.md.' }) code: string;
}

@ObjectType({
  simpleResolvers: true,
  description:
    'A message of the end-user or the bot did not reach the agents: its delivery is a dead letter, which an operator can resend.',
})
export class SupportMessageUndeliveredNotice {
  @Field(() => String, { description: 'The reason, as a stable code; see docs/errors.md.' }) code: string;
  @Field(() => SupportDeliveryOutcome, { description: 'UNKNOWN if the agents may have it nevertheless.' })
  deliveryOutcome: DeliveryOutcome;
}

@ObjectType({
  simpleResolvers: true,
  description: 'A message that an earlier notice reported as undelivered has reached the agents.',
})
export class SupportMessageDeliveredNotice {}

@ObjectType({
  simpleResolvers: true,
  description:
    'The provider offers the end-user a survey: see `handoff.survey`, show its url or its choices, and call answerSurvey.',
})
export class HandoffSurveyNotice {}

export type NoticeView =
  | { readonly __typename: 'SupportMessageDeletedNotice'; readonly messageId: string }
  | {
      readonly __typename: 'SupportFileNotDeliveredNotice';
      readonly messageId: string;
      readonly index: number;
      readonly code: string;
    }
  | {
      readonly __typename: 'SupportMessageUndeliveredNotice';
      readonly messageId: string;
      readonly code: string;
      readonly deliveryOutcome: DeliveryOutcome;
    }
  | { readonly __typename: 'SupportMessageDeliveredNotice'; readonly messageId: string }
  | { readonly __typename: 'HandoffSurveyNotice'; readonly handoffId: string }
  | { readonly __typename: 'SupportMessageNotice'; readonly messageId: string }
  | { readonly __typename: 'HandoffStateNotice'; readonly handoffId: string; readonly state: string }
  | { readonly __typename: 'HandoffOutcomeNotice'; readonly handoffId: string };

export const SupportRuntimeNotice = createUnionType({
  name: 'SupportRuntimeNotice',
  description: 'A notification for the bot runtime.',
  types: () =>
    [
      SupportMessageNotice,
      HandoffStateNotice,
      HandoffOutcomeNotice,
      SupportMessageDeletedNotice,
      HandoffSurveyNotice,
      SupportFileNotDeliveredNotice,
      SupportMessageUndeliveredNotice,
      SupportMessageDeliveredNotice,
    ] as const,
  resolveType: value => (value as unknown as NoticeView).__typename,
});

@ObjectType({
  simpleResolvers: true,
  description: 'A delivery that the runtime must collect and acknowledge, in order within a session.',
})
export class SupportRuntimeDelivery {
  @Field(() => ID, { description: 'The same each time and in each transport: also the webhook-id of a push.' })
  id: string;
  @Field(() => String, {
    description: 'Pass it to acknowledgeRuntimeDeliveriesThrough to acknowledge everything in this list up to here.',
  })
  cursor: string;
  @Field(() => DateTime) createdAt: string;
}

export const SupportRuntimeDeliveryConnection = connectionOf('SupportRuntimeDelivery', () => SupportRuntimeDelivery);
