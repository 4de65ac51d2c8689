import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { type HandoffAgent as HandoffAgentValue, type HandoffRecord, isLive } from '../../core/handoff';
import type { SessionRecord } from '../../core/session';
import type { AgentRecord, TeamRecord } from '../../core/setup';
import { OperationContext } from '../operation/context';
import { ListSize } from '../cost/list-size';
import { Handoff, HandoffAgent, HandoffLink, HandoffOutcome } from './types';
import { Organization } from '../platform/types';
import { SupportSession } from '../sessions/types';
import { SupportAgent, SupportTeam } from '../setup/types';

const nullable = { nullable: true } as const;

export type OutcomeView = Pick<HandoffRecord, 'state' | 'failureCode' | 'agent' | 'resumeTarget' | 'summary'> & {
  readonly reason: HandoffRecord['endReason'];
};

export const outcomeView = ({
  state,
  endReason: reason,
  failureCode,
  agent,
  resumeTarget,
  summary,
}: HandoffRecord): OutcomeView => ({ state, reason, failureCode, agent, resumeTarget, summary });

@Resolver(() => Handoff)
export class HandoffFields {
  @FieldResolver(() => Organization)
  organization(@Root() { organizationId }: HandoffRecord): { readonly id: string } {
    return { id: organizationId };
  }

  @FieldResolver(() => SupportSession)
  session(@Root() { sessionId }: HandoffRecord, @Ctx() context: OperationContext): Promise<SessionRecord | null> {
    return context.loaders.session.load(sessionId);
  }

  // A result that an earlier version stored for its idempotency key has no links.
  @ListSize(3)
  @FieldResolver(() => [HandoffLink], { description: 'Agents see them in the context note.' })
  links(@Root() { links }: HandoffRecord): HandoffRecord['links'] {
    return links ?? [];
  }

  @FieldResolver(() => Boolean, { description: 'True until the state is ENDED, REJECTED or FAILED.' })
  isLive(@Root() { state }: HandoffRecord): boolean {
    return isLive(state);
  }

  @FieldResolver(() => SupportTeam, { ...nullable, description: 'The requested team.' })
  async targetTeam(@Root() { target }: HandoffRecord, @Ctx() context: OperationContext): Promise<TeamRecord | null> {
    return target.teamId === null ? null : context.loaders.team.load(target.teamId);
  }

  @FieldResolver(() => SupportAgent, { ...nullable, description: 'The requested agent.' })
  async targetAgent(@Root() { target }: HandoffRecord, @Ctx() context: OperationContext): Promise<AgentRecord | null> {
    return target.agentId === null ? null : context.loaders.agent.load(target.agentId);
  }

  @FieldResolver(() => HandoffOutcome, { ...nullable, description: 'Set once the state is final.' })
  outcome(@Root() handoff: HandoffRecord): OutcomeView | null {
    return isLive(handoff.state) ? null : outcomeView(handoff);
  }
}

@Resolver(() => HandoffAgent)
export class HandoffAgentFields {
  @FieldResolver(() => SupportAgent, { ...nullable, description: 'Null if the agent is not listed yet.' })
  async agent(@Root() { id }: HandoffAgentValue, @Ctx() context: OperationContext): Promise<AgentRecord | null> {
    return id === null ? null : context.loaders.agent.load(id);
  }
}
