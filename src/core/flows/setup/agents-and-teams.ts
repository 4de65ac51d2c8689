import { ConflictError, InvalidInputError, NotFoundError, ProviderRefusedError } from '../../errors';
import { isUuid } from '../../ids';
import type { AccountRecord, AgentRecord } from '../../setup';
import type { AddAgentInput, RemoveAgentInput } from '../api/agents-and-teams';
import type { Flows } from '../api';
import type { Scope } from '../api/scope';
import { createSetupTools } from './find-account';
import { accessOf, inboxAccessOf, type FlowDeps } from '../deps';
import { createMemberships as membershipsIn } from './memberships';
import { validateId } from '../from-runtime/record-message';

const EMAIL = /^[^@\s]+@[^@\s]+$/;
const MAX_MEMBERS = 1_000;

export function validateEmail(email: string, field = 'email'): string {
  if (!EMAIL.test(validateId(email, field, 320)))
    throw new InvalidInputError(
      'INPUT_INVALID',
      field,
      `${field} is not an e-mail address. Give one such as name@example.com.`,
    );
  return email.trim();
}

/** Converts a provider's refusal to an input error, because the caller can correct it. */
async function asInvalidInput<T>(field: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof ProviderRefusedError) throw new InvalidInputError('INPUT_INVALID', field, error.message);
    throw error;
  }
}

type AgentAndTeamFlows = Pick<
  Flows,
  | 'addAgent'
  | 'changeAgentRole'
  | 'removeAgent'
  | 'setInboxMembers'
  | 'createTeam'
  | 'setTeamMembers'
  | 'createLoginLink'
>;

/** Mutations of agents, members and teams. Each calls the provider first and then mirrors its lists. */
export function agentAndTeamFlows(deps: FlowDeps): AgentAndTeamFlows {
  const { setup } = deps.stores;
  const tools = createSetupTools(deps);
  const { resolveMemberships, addAgentTo } = membershipsIn(deps);

  /** Finds an agent and its account. An agent's own id in this service identifies its account too. */
  async function findAgentAndAccount(
    scope: Scope,
    agentId: string,
    accountId: string | null,
  ): Promise<{ agent: AgentRecord; account: AccountRecord }> {
    const [known] =
      isUuid(agentId) && accountId === null ? await setup.findAgentsByIds(scope.organizationId, [agentId]) : [null];
    const account = await tools.accountFor(scope, known?.accountId ?? accountId);
    return { agent: await tools.agentOf(account, agentId, 'agentId'), account };
  }

  async function findMembers(account: AccountRecord, ids: readonly string[]): Promise<readonly AgentRecord[]> {
    if (ids.length > MAX_MEMBERS)
      throw new InvalidInputError(
        'INPUT_INVALID',
        'agentIds',
        `${ids.length} agents are too many. Give at most ${MAX_MEMBERS}.`,
      );
    const agents = new Map<string, AgentRecord>();
    for (const id of ids) {
      const agent = await tools.agentOf(account, id, 'agentIds');
      agents.set(agent.id, agent);
    }
    return [...agents.values()];
  }

  /**
   * Removes an agent from the owners after an operator removed or demoted them, so that a repair does not restore them.
   */
  async function removeOwner(account: AccountRecord, { email }: AgentRecord): Promise<void> {
    const owners = account.owners.filter(owner => owner.email.toLowerCase() !== email?.toLowerCase());
    if (owners.length < account.owners.length) await setup.updateAccount(account.id, { owners });
  }

  const reloadAgent = async (account: AccountRecord, externalId: string): Promise<AgentRecord> => {
    await tools.mirrorDirectory(account);
    return tools.agentOf(account, externalId, 'agentId');
  };

  return {
    async addAgent(scope: Scope, input: AddAgentInput) {
      const name = validateId(input.name, 'name', 200);
      const email = validateEmail(input.email);
      const account = await tools.accountFor(scope, input.accountId);
      const people = tools.verbs(account, 'agentsAndTeams', 'managesAgents');
      // Checked first, so that a call that names something missing does nothing.
      const memberships = await resolveMemberships(account, input);
      const added = await asInvalidInput(
        'email',
        people.addAgent({ access: accessOf(deps, account), name, email, role: input.role }, tools.signal()),
      );
      const listed = await reloadAgent(account, added.externalId);
      const agent =
        input.userId === null
          ? listed
          : ((await setup.linkAgentToUser(scope.organizationId, listed.id, input.userId)) ?? listed);
      return { agent, ...(await addAgentTo(account, agent, memberships)) };
    },

    async changeAgentRole(scope, { accountId, agentId, role }) {
      const { agent, account } = await findAgentAndAccount(scope, agentId, accountId);
      const people = tools.verbs(account, 'agentsAndTeams', 'managesAgents');
      await asInvalidInput(
        'agentId',
        people.changeAgentRole({ access: accessOf(deps, account), agentId: agent.externalId, role }, tools.signal()),
      );
      if (role === 'AGENT') await removeOwner(account, agent);
      return reloadAgent(account, agent.externalId);
    },

    async removeAgent(scope, { accountId, agentId, deletePerson }: RemoveAgentInput) {
      const { agent, account } = await findAgentAndAccount(scope, agentId, accountId);
      const people = tools.verbs(account, 'agentsAndTeams', 'managesAgents');
      const outcome = await asInvalidInput(
        'agentId',
        people.removeAgent(
          { access: accessOf(deps, account), agentId: agent.externalId, deletePerson },
          tools.signal(),
        ),
      );
      if (outcome === 'WOULD_DELETE_PERSON')
        throw new ConflictError(
          'WOULD_DELETE_PERSON',
          'deletePerson',
          `With the credentials of this account ${agent.name} can only be removed by deleting them from the provider if this is their last account. Repeat with deletePerson: true, or remove them there by hand.`,
        );
      await removeOwner(account, agent);
      await tools.mirrorDirectory(account);
      return agent;
    },

    async setInboxMembers(scope, { chatbotId, agentIds }) {
      const inbox = await setup.findInboxByChatbot(scope.organizationId, chatbotId);
      if (inbox === null)
        throw new NotFoundError(
          'CHATBOT_NOT_ENABLED',
          'chatbotId',
          'This chatbot has no support inbox. Call enableChatbotSupport for it first.',
        );
      const account = await tools.accountFor(scope, inbox.accountId);
      const people = tools.verbs(account, 'agentsAndTeams', 'inboxMembers');
      const access = inboxAccessOf(deps, account, inbox);
      if (access === null)
        throw new ConflictError(
          'ACCOUNT_DISABLED',
          'chatbotId',
          `Inbox ${inbox.id} is ${inbox.state}. Call enableChatbotSupport again until it is READY.`,
        );
      const members = await findMembers(account, agentIds);
      await asInvalidInput(
        'agentIds',
        people.setInboxMembers(
          access,
          members.map(agent => agent.externalId),
          tools.signal(),
        ),
      );
      return setup.updateInbox(inbox.id, { memberIds: members.map(agent => agent.id) });
    },

    async createTeam(scope, { accountId, name, agentIds, autoAssign }) {
      validateId(name, 'name', 200);
      const account = await tools.accountFor(scope, accountId);
      const people = tools.verbs(account, 'agentsAndTeams', 'managesTeams');
      const members = agentIds === null ? null : await findMembers(account, agentIds);
      const made = await asInvalidInput(
        'name',
        people.createTeam(accessOf(deps, account), { name: name.trim(), autoAssign }, tools.signal()),
      );
      await tools.mirrorDirectory(account);
      const team = await setup.setTeamAutoAssign((await tools.teamOf(account, made.externalId, 'name')).id, autoAssign);
      if (members === null) return team;
      await asInvalidInput(
        'agentIds',
        people.setTeamMembers(
          accessOf(deps, account),
          team.externalId,
          members.map(agent => agent.externalId),
          tools.signal(),
        ),
      );
      return setup.setTeamMembers(
        team.id,
        members.map(agent => agent.id),
      );
    },

    async setTeamMembers(scope, { accountId, teamId, agentIds }) {
      const [known] =
        isUuid(teamId) && accountId === null ? await setup.findTeamsByIds(scope.organizationId, [teamId]) : [null];
      const account = await tools.accountFor(scope, known?.accountId ?? accountId);
      const people = tools.verbs(account, 'agentsAndTeams', 'managesTeams');
      const team = await tools.teamOf(account, teamId, 'teamId');
      const members = await findMembers(account, agentIds);
      await asInvalidInput(
        'agentIds',
        people.setTeamMembers(
          accessOf(deps, account),
          team.externalId,
          members.map(agent => agent.externalId),
          tools.signal(),
        ),
      );
      return setup.setTeamMembers(
        team.id,
        members.map(agent => agent.id),
      );
    },

    async createLoginLink(scope, { agentId, accountId, by }) {
      const { agent, account } = await findAgentAndAccount(scope, agentId, accountId);
      const isThemselves = by.userId !== null && by.userId === agent.userId;
      if (by.role !== 'operator' && !isThemselves)
        throw new ConflictError(
          'LOGIN_LINK_REFUSED',
          'agentId',
          'The login link was refused. Only an operator may request it, or the agent, once linked to their user with linkSupportAgent.',
        );
      const url = await tools
        .verbs(account, 'login', 'loginLinks')
        .createLoginLink(accessOf(deps, account), agent.externalId, tools.signal());
      if (url === null)
        throw new ConflictError(
          'LOGIN_LINK_REFUSED',
          'agentId',
          `${agent.name} was not created by this service for this account. They sign in with their own password.`,
        );
      return { agent, url };
    },
  };
}
