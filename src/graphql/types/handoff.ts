import { Directive, Field, ID, Int, ObjectType } from 'type-graphql';
import type { HandoffRecord } from '../../core/handoff';
import { HandoffEndReason, HandoffOrigin, HandoffPriority, HandoffState } from './enums';
import { connectionOf } from './page';
import { DateTime, Json } from './scalars';

@ObjectType({ simpleResolvers: true, description: 'The person who has or had the conversation.' })
export class HandoffAgent {
  @Field(() => String, { description: 'The provider\'s own number.' }) externalId: string;
  @Field(() => String) name: string;
}

@ObjectType({ simpleResolvers: true, description: 'One answer that a survey takes.' })
export class HandoffSurveyChoice {
  @Field(() => Int) rating: number;
  @Field(() => String) label: string;
}

@ObjectType({ simpleResolvers: true, description: 'What the end-user thinks of it.' })
export class HandoffSurveyAnswer {
  @Field(() => Int) rating: number;
  @Field(() => String, { nullable: true }) comment: string | null;
  @Field(() => DateTime) at: string;
}

@ObjectType({ simpleResolvers: true, description: 'The question how it was, asked by the provider after the end.' })
export class HandoffSurvey {
  @Field(() => String) question: string;
  @Field(() => String, { nullable: true, description: 'A page where the end-user may answer by themselves.' }) url: string | null;
  @Field(() => [HandoffSurveyChoice], { description: 'Worst first. Give one to answerSurvey.' }) choices: HandoffSurveyChoice[];
  @Field(() => DateTime) offeredAt: string;
  @Field(() => HandoffSurveyAnswer, { nullable: true }) answer: HandoffSurveyAnswer | null;
}

@ObjectType({ simpleResolvers: true, description: 'A page of the platform that agents may want to open.' })
export class HandoffLink {
  @Field(() => String) label: string;
  @Field(() => String) url: string;
}

@ObjectType({ simpleResolvers: true, description: 'How a handoff came out: what the bot needs to go on.' })
export class HandoffOutcome {
  @Field(() => HandoffState, { description: 'ENDED, REJECTED or FAILED.' }) state: HandoffRecord['state'];
  @Field(() => HandoffEndReason, { nullable: true, description: 'Set when ENDED.' }) reason: HandoffRecord['endReason'];
  @Field(() => String, { nullable: true, description: 'Set when REJECTED or FAILED: a stable code.' }) failureCode: string | null;
  @Field(() => HandoffAgent, { nullable: true }) agent: HandoffRecord['agent'];
  @Field(() => String, { nullable: true, description: 'What the request gave, unchanged.' }) resumeTarget: string | null;
  @Field(() => String, { nullable: true }) summary: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'One episode in which people are asked to take a session, from request to end.' })
@Directive('@key(fields: "id")')
export class Handoff {
  @Field(() => ID) id: string;
  @Field(() => HandoffState) state: HandoffRecord['state'];
  @Field(() => HandoffOrigin) origin: HandoffRecord['origin'];
  @Field(() => String, { nullable: true }) reason: string | null;
  @Field(() => String, { nullable: true }) summary: string | null;
  @Field(() => String, { nullable: true }) intent: string | null;
  @Field(() => Json, { description: 'Named texts that agents see in the context note.' }) fields: HandoffRecord['fields'];
  @Field(() => HandoffPriority, { nullable: true }) priority: HandoffRecord['priority'];
  @Field(() => HandoffAgent, { nullable: true }) agent: HandoffRecord['agent'];
  @Field(() => String, { nullable: true, description: 'Opaque to us; comes back with the outcome.' }) resumeTarget: string | null;
  @Field(() => HandoffEndReason, { nullable: true }) endReason: HandoffRecord['endReason'];
  @Field(() => String, { nullable: true, description: 'Why it was rejected or failed: a stable code.' }) failureCode: string | null;
  @Field(() => HandoffSurvey, { nullable: true }) survey: HandoffSurvey | null;
  @Field(() => DateTime) requestedAt: string;
  @Field(() => DateTime, { nullable: true }) queuedAt: string | null;
  @Field(() => DateTime, { nullable: true }) assignedAt: string | null;
  @Field(() => DateTime, { nullable: true }) activeAt: string | null;
  @Field(() => DateTime, { nullable: true }) endingAt: string | null;
  @Field(() => DateTime, { nullable: true }) endedAt: string | null;
}

export const HandoffConnection = connectionOf('Handoff', () => Handoff);
