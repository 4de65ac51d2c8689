import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import type { DeadLetter, DeliveryOutcome } from '../../core/delivery';
import { SupportDeadLetterState, SupportDeliveryOutcome } from './enums';
import { connectionOf } from './page';
import { SupportPayload } from './payloads';
import { DateTime } from './scalars';

@ObjectType({ simpleResolvers: true, description: 'Something owed that was set aside, because no retry helps or it was tried for 75 hours.' })
export class SupportDeadLetter {
  @Field(() => ID) id: string;
  @Field(() => SupportDeadLetterState) state: DeadLetter['state'];
  @Field(() => String, { description: 'To whom it was owed, e.g. `PROVIDER`.' }) destination: string;
  @Field(() => String, { description: 'What it was, e.g. `POST_MESSAGE`.' }) kind: string;
  @Field(() => String, { description: 'Why it was set aside; stable, see docs/errors.md.' }) code: string;
  @Field(() => SupportDeliveryOutcome, { description: 'Whether it may be there all the same.' }) outcome: DeliveryOutcome;
  @Field(() => Int, { description: 'How often it was tried.' }) attempts: number;
  @Field(() => ID, { nullable: true, description: 'The message that it is about.' }) messageId: string | null;
  @Field(() => DateTime, { description: 'Since when it was owed.' }) createdAt: string;
  @Field(() => DateTime, { description: 'When it was tried last and set aside.' }) parkedAt: string;
  @Field(() => Boolean, { description: 'Everything behind it in its session\'s lane waits until it is sent again or discarded.' }) blocksLane: boolean;
}

export const SupportDeadLetterConnection = connectionOf('SupportDeadLetter', () => SupportDeadLetter);

@ObjectType({ simpleResolvers: true, description: 'Deliveries of a session that wait behind a dead letter until an operator decides.' })
export class SupportBlockedLane {
  @Field(() => String) destination: string;
  @Field(() => ID, { description: 'Give it to resendSupportDeadLetters or discardSupportDeadLetters.' }) deadLetterId: string;
  @Field(() => String) kind: string;
  @Field(() => String, { description: 'Stable; see docs/errors.md.' }) code: string;
  @Field(() => SupportDeliveryOutcome, { description: 'Whether the dead letter may be at its receiver all the same.' }) outcome: DeliveryOutcome;
  @Field(() => DateTime) parkedAt: string;
}

@InputType({ description: 'All that is given must hold.' })
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

const AFTER = { nullable: true, description: 'With a filter or all: the endCursor of the call before.' } as const;

@InputType({ description: 'Exactly one of ids, filter and all.' })
export class ResendSupportDeadLettersInput {
  @Field(() => [ID], { nullable: true, description: 'At most 500.' }) ids?: string[] | null;
  @Field(() => SupportDeadLetterFilterInput, { nullable: true }) filter?: SupportDeadLetterFilterInput | null;
  @Field(() => Boolean, { defaultValue: false }) all: boolean;
  @Field(() => Boolean, { defaultValue: false, description: 'With ids: you have looked, and none of them is there. The next try of each writes without looking. Otherwise it is looked for first, so that nothing appears twice.' }) writeAtOnce: boolean;
  @Field(() => String, AFTER) after?: string | null;
}

@InputType({ description: 'Exactly one of ids and filter.' })
export class DiscardSupportDeadLettersInput {
  @Field(() => [ID], { nullable: true, description: 'At most 500.' }) ids?: string[] | null;
  @Field(() => SupportDeadLetterFilterInput, { nullable: true }) filter?: SupportDeadLetterFilterInput | null;
  @Field(() => String, { description: 'Kept with each of them; 1 to 500 characters.' }) reason: string;
  @Field(() => String, AFTER) after?: string | null;
}

const payload = { implements: SupportPayload, simpleResolvers: true } as const;
const passedOver = { description: 'Ids that were no dead letters of yours, or not any more; nothing to do about them.' } as const;
const hasMore = { description: 'There are more: call again with `after: endCursor`.' } as const;

@ObjectType(payload)
export class ResendSupportDeadLettersPayload extends SupportPayload {
  @Field(() => Int, { description: 'How many wait again.' }) count: number;
  @Field(() => [ID], passedOver) passedOver: readonly string[];
  @Field(() => Boolean, hasMore) hasMore: boolean;
  @Field(() => String, { nullable: true }) endCursor: string | null;
}

@ObjectType(payload)
export class DiscardSupportDeadLettersPayload extends SupportPayload {
  @Field(() => Int, { description: 'How many were given up for good.' }) count: number;
  @Field(() => [ID], passedOver) passedOver: readonly string[];
  @Field(() => Boolean, hasMore) hasMore: boolean;
  @Field(() => String, { nullable: true }) endCursor: string | null;
}
