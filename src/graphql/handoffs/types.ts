import { Directive, Field, ID, Int, ObjectType } from 'type-graphql';
import type { HandoffRecord } from '../../core/handoff';
import { HandoffEndReason, HandoffOrigin, HandoffPriority, HandoffState } from '../shared/enums';
import { connectionOf } from '../shared/page';
import { DateTime, Json } from '../shared/scalars';

@ObjectType({ simpleResolvers: true, description: 'The agent who has or had the conversation.' })
export class HandoffAgent {
  @Field(() => String, { description: "The provider's id of the agent." }) externalId: string;
  @Field(() => String) name: string;
}

@ObjectType({ simpleResolvers: true, description: 'One choice of a survey.' })
export class HandoffSurveyChoice {
  @Field(() => Int) rating: number;
  @Field(() => String) label: string;
}

@ObjectType({ simpleResolvers: true, description: "The end-user's answer to a survey." })
export class HandoffSurveyAnswer {
  @Field(() => Int) rating: number;
  @Field(() => String, { nullable: true }) comment: string | null;
  @Field(() => DateTime) at: string;
}

@ObjectType({ simpleResolvers: true, description: 'A satisfaction survey that the provider offers after the end.' })
export class HandoffSurvey {
  @Field(() => String) question: string;
  @Field(() => String, { nullable: true, description: 'A page where the end-user can answer the survey.' }) url:
    | string
    | null;
  @Field(() => [HandoffSurveyChoice], { description: 'Worst first. Pass the rating of one to answerSurvey.' })
  choices: HandoffSurveyChoice[];
  @Field(() => DateTime) offeredAt: string;
  @Field(() => HandoffSurveyAnswer, { nullable: true }) answer: HandoffSurveyAnswer | null;
}

@ObjectType({ simpleResolvers: true, description: 'A page of the platform for the agents.' })
export class HandoffLink {
  @Field(() => String) label: string;
  @Field(() => String) url: string;
}

@ObjectType({ simpleResolvers: true, description: 'The result of a handoff, with which the bot continues.' })
export class HandoffOutcome {
  @Field(() => HandoffState, { description: 'ENDED, REJECTED or FAILED.' }) state: HandoffRecord['state'];
  @Field(() => HandoffEndReason, { nullable: true, description: 'Set when ENDED.' }) reason: HandoffRecord['endReason'];
  @Field(() => String, { nullable: true, description: 'Set when REJECTED or FAILED: a stable code.' }) failureCode:
    | string
    | null;
  @Field(() => HandoffAgent, { nullable: true }) agent: HandoffRecord['agent'];
  @Field(() => String, { nullable: true, description: 'The value of the request, unchanged.' }) resumeTarget:
    | string
    | null;
  @Field(() => String, { nullable: true }) summary: string | null;
}

@ObjectType({
  simpleResolvers: true,
  description: 'One request for a human agent in a session, from the request or takeover to the end.',
})
@Directive('@key(fields: "id")')
export class Handoff {
  @Field(() => ID) id: string;
  @Field(() => HandoffState) state: HandoffRecord['state'];
  @Field(() => HandoffOrigin) origin: HandoffRecord['origin'];
  @Field(() => String, { nullable: true }) reason: string | null;
  @Field(() => String, { nullable: true }) summary: string | null;
  @Field(() => String, { nullable: true }) intent: string | null;
  @Field(() => Json, { description: 'Named texts that agents see in the context note.' })
  fields: HandoffRecord['fields'];
  @Field(() => HandoffPriority, { nullable: true }) priority: HandoffRecord['priority'];
  @Field(() => HandoffAgent, { nullable: true }) agent: HandoffRecord['agent'];
  @Field(() => String, { nullable: true, description: 'Opaque to this service; returned with the outcome.' })
  resumeTarget: string | null;
  @Field(() => HandoffEndReason, { nullable: true }) endReason: HandoffRecord['endReason'];
  @Field(() => String, { nullable: true, description: 'The reason of a rejection or failure, as a stable code.' })
  failureCode: string | null;
  @Field(() => HandoffSurvey, { nullable: true }) survey: HandoffSurvey | null;
  @Field(() => DateTime) requestedAt: string;
  @Field(() => DateTime, { nullable: true }) queuedAt: string | null;
  @Field(() => DateTime, { nullable: true }) assignedAt: string | null;
  @Field(() => DateTime, { nullable: true }) activeAt: string | null;
  @Field(() => DateTime, { nullable: true }) endingAt: string | null;
  @Field(() => DateTime, { nullable: true }) endedAt: string | null;
}

export const HandoffConnection = connectionOf('Handoff', () => Handoff);
