import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import type { Flows } from '../../core/flows/api';
import { OperationContext } from '../operation/context';
import { toUserError } from '../operation/errors';
import {
  AddSupportAgentPayload,
  ChangeSupportAgentRolePayload,
  CreateSupportLoginLinkPayload,
  CreateSupportTeamPayload,
  RemoveSupportAgentPayload,
  SetSupportInboxMembersPayload,
  SetSupportTeamMembersPayload,
} from '../shared/payloads';
import {
  AddSupportAgentInput,
  ChangeSupportAgentRoleInput,
  CreateSupportLoginLinkInput,
  CreateSupportTeamInput,
  RemoveSupportAgentInput,
  SetSupportInboxMembersInput,
  SetSupportTeamMembersInput,
} from './inputs';
import { runMutation } from '../shared/run-mutation';

/** Mutations of agents and teams. Each one calls the provider, which takes seconds. */
@Resolver()
export class AgentAndTeamMutations {
  constructor(private readonly flows: Flows) {}

  @Mutation(() => AddSupportAgentPayload, {
    description:
      'Adds an agent to the account, and to inboxes and teams. Repeatable: completed steps are kept, failed ones are repeated.',
  })
  addSupportAgent(
    @Arg('input', () => AddSupportAgentInput) input: AddSupportAgentInput,
    @Ctx() context: OperationContext,
  ): Promise<AddSupportAgentPayload> {
    return runMutation(context, 'SET_UP', { inboxes: [], teams: [] }, async scope => {
      const { problems, ...added } = await this.flows.addAgent(scope, {
        ...input,
        accountId: input.accountId ?? null,
        userId: input.userId ?? null,
        inboxIds: input.inboxIds ?? [],
        teamIds: input.teamIds ?? [],
      });
      return { ...added, userErrors: problems.map(toUserError) };
    });
  }

  @Mutation(() => ChangeSupportAgentRolePayload)
  changeSupportAgentRole(
    @Arg('input', () => ChangeSupportAgentRoleInput) input: ChangeSupportAgentRoleInput,
    @Ctx() context: OperationContext,
  ): Promise<ChangeSupportAgentRolePayload> {
    return runMutation(context, 'SET_UP', {}, async scope => ({
      agent: await this.flows.changeAgentRole(scope, { ...input, accountId: input.accountId ?? null }),
    }));
  }

  @Mutation(() => RemoveSupportAgentPayload, {
    description:
      "Removes an agent from the account. Deletes the agent's user at the provider only if deletePerson permits it.",
  })
  removeSupportAgent(
    @Arg('input', () => RemoveSupportAgentInput) input: RemoveSupportAgentInput,
    @Ctx() context: OperationContext,
  ): Promise<RemoveSupportAgentPayload> {
    return runMutation(context, 'SET_UP', {}, async scope => ({
      agent: await this.flows.removeAgent(scope, { ...input, accountId: input.accountId ?? null }),
    }));
  }

  @Mutation(() => SetSupportInboxMembersPayload, { description: "Sets the agents who see a chatbot's conversations." })
  setSupportInboxMembers(
    @Arg('input', () => SetSupportInboxMembersInput) input: SetSupportInboxMembersInput,
    @Ctx() context: OperationContext,
  ): Promise<SetSupportInboxMembersPayload> {
    return runMutation(context, 'SET_UP', {}, async scope => ({
      inbox: await this.flows.setInboxMembers(scope, input),
    }));
  }

  @Mutation(() => CreateSupportTeamPayload)
  createSupportTeam(
    @Arg('input', () => CreateSupportTeamInput) input: CreateSupportTeamInput,
    @Ctx() context: OperationContext,
  ): Promise<CreateSupportTeamPayload> {
    return runMutation(context, 'SET_UP', {}, async scope => ({
      team: await this.flows.createTeam(scope, {
        name: input.name,
        accountId: input.accountId ?? null,
        agentIds: input.agentIds ?? null,
        autoAssign: input.autoAssign,
      }),
    }));
  }

  @Mutation(() => SetSupportTeamMembersPayload)
  setSupportTeamMembers(
    @Arg('input', () => SetSupportTeamMembersInput) input: SetSupportTeamMembersInput,
    @Ctx() context: OperationContext,
  ): Promise<SetSupportTeamMembersPayload> {
    return runMutation(context, 'SET_UP', {}, async scope => ({
      team: await this.flows.setTeamMembers(scope, { ...input, accountId: input.accountId ?? null }),
    }));
  }

  @Mutation(() => CreateSupportLoginLinkPayload, {
    description:
      'Creates a short-lived login link for an agent that this service created. Callable by that agent or by an operator.',
  })
  createSupportLoginLink(
    @Arg('input', () => CreateSupportLoginLinkInput) input: CreateSupportLoginLinkInput,
    @Ctx() context: OperationContext,
  ): Promise<CreateSupportLoginLinkPayload> {
    return runMutation(context, 'READ', {}, async scope => {
      const { role, userId } = context.caller!;
      return this.flows.createLoginLink(scope, {
        accountId: input.accountId ?? null,
        agentId: input.agentId,
        by: { role, userId },
      });
    });
  }
}
