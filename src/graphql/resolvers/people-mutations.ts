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

/** People and teams at the provider. Each calls it, which takes seconds. */
@Resolver()
export class PeopleMutations {
  constructor(private readonly flows: Flows) {}

  @Mutation(() => AddSupportAgentPayload, { description: 'Gives a person a place in the account, and in inboxes and teams. Repeatable: what is done already stays, what failed is done.' })
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

  @Mutation(() => RemoveSupportAgentPayload, { description: 'Takes a person out of the account. Deletes nobody unless deletePerson says so.' })
  removeSupportAgent(@Arg('input', () => RemoveSupportAgentInput) input: RemoveSupportAgentInput, @Ctx() context: OperationContext): Promise<RemoveSupportAgentPayload> {
    return answer(context, 'SET_UP', {}, async (scope) => ({ agent: await this.flows.removeAgent(scope, { ...input, accountId: input.accountId ?? null }) }));
  }

  @Mutation(() => SetSupportInboxMembersPayload, { description: 'Says who sees a chatbot\'s conversations.' })
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

  @Mutation(() => CreateSupportLoginLinkPayload, { description: 'Lets an agent whom we made in without a password: themselves, or an operator for them.' })
  createSupportLoginLink(@Arg('input', () => CreateSupportLoginLinkInput) input: CreateSupportLoginLinkInput, @Ctx() context: OperationContext): Promise<CreateSupportLoginLinkPayload> {
    return answer(context, 'READ', {}, async (scope) => {
      const { role, userId } = context.caller!;
      return this.flows.loginLink(scope, { accountId: input.accountId ?? null, agentId: input.agentId, by: { role, userId } });
    });
  }
}
