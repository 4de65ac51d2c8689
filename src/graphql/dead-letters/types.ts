import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import type { DeadLetter, DeliveryOutcome } from '../../core/delivery';
import { SupportDeadLetterState, SupportDeliveryOutcome } from '../shared/enums';
import { connectionOf } from '../shared/page';
import { SupportPayload } from '../shared/payloads';
import { DateTime } from '../shared/scalars';

@ObjectType({
  simpleResolvers: true,
  description: 'A delivery that was parked because no retry helps or because it failed for 75 hours.',
})
export class SupportDeadLetter {
  @Field(() => ID) id: string;
  @Field(() => SupportDeadLetterState) state: DeadLetter['state'];
  @Field(() => String, { description: 'The receiver, e.g. `PROVIDER`.' }) destination: string;
  @Field(() => String, { description: 'The kind of work, e.g. `POST_MESSAGE`.' }) kind: string;
  @Field(() => String, { description: 'The reason for parking, as a stable code; see docs/errors.md.' }) code: string;
  @Field(() => SupportDeliveryOutcome, { description: 'UNKNOWN if it may have reached its receiver nevertheless.' })
  outcome: DeliveryOutcome;
  @Field(() => Int, { description: 'The number of attempts.' }) attempts: number;
  @Field(() => ID, { nullable: true, description: 'The message that it concerns.' }) messageId: string | null;
  @Field(() => DateTime, { description: 'When the delivery was enqueued.' }) createdAt: string;
  @Field(() => DateTime, { description: 'When it was last attempted and parked.' }) parkedAt: string;
  @Field(() => Boolean, {
    description: "True if all later deliveries of its session's lane wait until it is resent or discarded.",
  })
  isBlockingLane: boolean;
}

export const SupportDeadLetterConnection = connectionOf('SupportDeadLetter', () => SupportDeadLetter);

@ObjectType({
  simpleResolvers: true,
  description: 'Deliveries of a session that wait behind a dead letter until an operator resends or discards it.',
})
export class SupportBlockedLane {
  @Field(() => String) destination: string;
  @Field(() => ID, { description: 'Pass it to resendSupportDeadLetters or discardSupportDeadLetters.' })
  deadLetterId: string;
  @Field(() => String) kind: string;
  @Field(() => String, { description: 'Stable; see docs/errors.md.' }) code: string;
  @Field(() => SupportDeliveryOutcome, {
    description: 'UNKNOWN if the dead letter may have reached its receiver nevertheless.',
  })
  outcome: DeliveryOutcome;
  @Field(() => DateTime) parkedAt: string;
}

@InputType({ description: 'All given conditions must hold.' })
export class SupportDeadLetterFilterInput {
  @Field(() => ID, { nullable: true }) accountId?: string | null;
  @Field(() => ID, { nullable: true }) chatbotId?: string | null;
  @Field(() => ID, { nullable: true }) sessionId?: string | null;
  @Field(() => String, { nullable: true }) destination?: string | null;
  @Field(() => String, { nullable: true }) kind?: string | null;
  @Field(() => String, { nullable: true }) code?: string | null;
  @Field(() => SupportDeliveryOutcome, { nullable: true }) outcome?: DeliveryOutcome | null;
  @Field(() => DateTime, { nullable: true }) parkedBefore?: unknown;
  @Field(() => DateTime, { nullable: true }) parkedAfter?: unknown;
}

const AFTER = { nullable: true, description: 'With filter or all: the endCursor of the previous call.' } as const;

@InputType({ description: 'Give exactly one of ids, filter and all.' })
export class ResendSupportDeadLettersInput {
  @Field(() => [ID], { nullable: true, description: 'At most 500.' }) ids?: string[] | null;
  @Field(() => SupportDeadLetterFilterInput, { nullable: true }) filter?: SupportDeadLetterFilterInput | null;
  @Field(() => Boolean, { defaultValue: false }) all: boolean;
  @Field(() => Boolean, {
    defaultValue: false,
    description:
      'With ids: you have checked that none of them reached the provider, and the next attempt of each writes without a lookup. By default a lookup comes first, so that nothing appears twice.',
  })
  skipLookup: boolean;
  @Field(() => String, AFTER) after?: string | null;
}

@InputType({ description: 'Give exactly one of ids and filter.' })
export class DiscardSupportDeadLettersInput {
  @Field(() => [ID], { nullable: true, description: 'At most 500.' }) ids?: string[] | null;
  @Field(() => SupportDeadLetterFilterInput, { nullable: true }) filter?: SupportDeadLetterFilterInput | null;
  @Field(() => String, { description: 'Stored with each dead letter; 1 to 500 characters.' }) reason: string;
  @Field(() => String, AFTER) after?: string | null;
}

const payload = { implements: SupportPayload, simpleResolvers: true } as const;
const skippedIds = {
  description: 'Ids that are not, or no longer, dead letters of your organization. They need no further action.',
} as const;
const hasMore = { description: 'True if more dead letters match: call again with `after: endCursor`.' } as const;

@ObjectType(payload)
export class ResendSupportDeadLettersPayload extends SupportPayload {
  @Field(() => Int, { description: 'The number of deliveries that are pending again.' }) count: number;
  @Field(() => [ID], skippedIds) skippedIds: readonly string[];
  @Field(() => Boolean, hasMore) hasMore: boolean;
  @Field(() => String, { nullable: true }) endCursor: string | null;
}

@ObjectType(payload)
export class DiscardSupportDeadLettersPayload extends SupportPayload {
  @Field(() => Int, { description: 'The number of deliveries that were discarded.' }) count: number;
  @Field(() => [ID], skippedIds) skippedIds: readonly string[];
  @Field(() => Boolean, hasMore) hasMore: boolean;
  @Field(() => String, { nullable: true }) endCursor: string | null;
}
