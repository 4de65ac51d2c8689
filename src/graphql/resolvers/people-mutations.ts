import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import type { Flows } from '../../core/flows/api';
import { OperationContext } from '../context';
import { userErrorOf } from '../errors';
import {
  AddSupportAgentPayload, ChangeSupportAgentRolePayload, CreateSupportLoginLinkPayload, MakeSupportTeamPayload, RemoveSupportAgentPayload,
  SetSupportInboxMembersPayload, SetSupportTeamMembersPayload,
} from '../types/payloads';
import {
  AddSupportAgentInput, ChangeSupportAgentRoleInput, CreateSupportLoginLinkInput, MakeSupportTeamInput, RemoveSupportAgentInput,
  SetSupportInboxMembersInput, SetSupportTeamMembersInput,
} from '../types/setup-inputs';
import { answer } from './answer';

/** Mutations of agents and teams. Each one calls the provider, which takes seconds. */
@Resolver()
export class PeopleMutations {
  constructor(private readonly flows: Flows) {}

  @Mutation(() => AddSupportAgentPayload, { description: 'Adds an agent to the account, and to inboxes and teams. Repeatable: completed steps are kept, failed ones are repeated.' })
  addSupportAgent(@Arg('input', () => AddSupportAgentInput) input: AddSupportAgentInput, @Ctx() context: OperationContext): Promise<AddSupportAgentPayload> {
    return answer(context, 'SET_UP', { inboxes: [], teams: [] }, async (scope) => {
      const { problems, ...added } = await this.flows.addAgent(scope, {
        ...input, accountId: input.accountId ?? null, userId: input.userId ?? null, inboxIds: input.inboxIds ?? [], teamIds: input.teamIds ?? [],
      });
      return { ...added, userErrors: problems.map(userErrorOf) };
    });
  }

  @Mutation(() => ChangeSupportAgentRolePayload)
  changeSupportAgentRole(@Arg('input', () => ChangeSupportAgentRoleInput) input: ChangeSupportAgentRoleInput, @Ctx() context: OperationContext): Promise<ChangeSupportAgentRolePayload> {
    return answer(context, 'SET_UP', {}, async (scope) => ({ agent: await this.flows.changeAgentRole(scope, { ...input, accountId: input.accountId ?? null }) }));
  }

  @Mutation(() => RemoveSupportAgentPayload, { description: 'Removes an agent from the account. Deletes the agent\'s user at the provider only if deletePerson permits it.' })
  removeSupportAgent(@Arg('input', () => RemoveSupportAgentInput) input: RemoveSupportAgentInput, @Ctx() context: OperationContext): Promise<RemoveSupportAgentPayload> {
    return answer(context, 'SET_UP', {}, async (scope) => ({ agent: await this.flows.removeAgent(scope, { ...input, accountId: input.accountId ?? null }) }));
  }

  @Mutation(() => SetSupportInboxMembersPayload, { description: 'Sets the agents who see a chatbot\'s conversations.' })
  setSupportInboxMembers(@Arg('input', () => SetSupportInboxMembersInput) input: SetSupportInboxMembersInput, @Ctx() context: OperationContext): Promise<SetSupportInboxMembersPayload> {
    return answer(context, 'SET_UP', {}, async (scope) => ({ inbox: await this.flows.setInboxMembers(scope, input) }));
  }

  @Mutation(() => MakeSupportTeamPayload)
  makeSupportTeam(@Arg('input', () => MakeSupportTeamInput) input: MakeSupportTeamInput, @Ctx() context: OperationContext): Promise<MakeSupportTeamPayload> {
    return answer(context, 'SET_UP', {}, async (scope) => ({
      team: await this.flows.makeTeam(scope, { name: input.name, accountId: input.accountId ?? null, agentIds: input.agentIds ?? null, autoAssign: input.autoAssign }),
    }));
  }

  @Mutation(() => SetSupportTeamMembersPayload)
  setSupportTeamMembers(@Arg('input', () => SetSupportTeamMembersInput) input: SetSupportTeamMembersInput, @Ctx() context: OperationContext): Promise<SetSupportTeamMembersPayload> {
    return answer(context, 'SET_UP', {}, async (scope) => ({ team: await this.flows.setTeamMembers(scope, { ...input, accountId: input.accountId ?? null }) }));
  }

  @Mutation(() => CreateSupportLoginLinkPayload, { description: 'Creates a short-lived login link for an agent that this service created. Callable by that agent or by an operator.' })
  createSupportLoginLink(@Arg('input', () => CreateSupportLoginLinkInput) input: CreateSupportLoginLinkInput, @Ctx() context: OperationContext): Promise<CreateSupportLoginLinkPayload> {
    return answer(context, 'READ', {}, async (scope) => {
      const { role, userId } = context.caller!;
      return this.flows.loginLink(scope, { accountId: input.accountId ?? null, agentId: input.agentId, by: { role, userId } });
    });
  }
}
