import { ConflictError, InvalidInputError, NotFoundError, ProviderRefusedError } from '../../errors';
import { isUuid } from '../../ids';
import type { AccountRecord, AgentRecord } from '../../setup';
import type {
  AddAgentInput,
  ChangeAgentRoleInput,
  CreateLoginLinkInput,
  CreateTeamInput,
  RemoveAgentInput,
  SetInboxMembersInput,
  SetTeamMembersInput,
} from '../api/agents-and-teams';
import type { Flows } from '../api';
import type { Scope } from '../api/scope';
import { mirrorDirectory, requireAccount, requireAgent, requireTeam, requireVerbs, setupSignal } from './find-account';
import { accessOf, inboxAccessOf, type ProviderDeps, type StoreDeps } from '../deps';
import { addAgentTo, resolveMemberships } from './memberships';
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

/** Finds an agent and its account. An agent's own id in this service identifies its account too. */
async function findAgentAndAccount(
  deps: ProviderDeps,
  scope: Scope,
  agentId: string,
  accountId: string | null,
): Promise<{ agent: AgentRecord; account: AccountRecord }> {
  const [known] =
    isUuid(agentId) && accountId === null
      ? await deps.stores.setup.findAgentsByIds(scope.organizationId, [agentId])
      : [null];
  const account = await requireAccount(deps, scope, known?.accountId ?? accountId);
  return { agent: await requireAgent(deps, account, agentId, 'agentId'), account };
}

async function findMembers(
  deps: ProviderDeps,
  account: AccountRecord,
  ids: readonly string[],
): Promise<readonly AgentRecord[]> {
  if (ids.length > MAX_MEMBERS)
    throw new InvalidInputError(
      'INPUT_INVALID',
      'agentIds',
      `${ids.length} agents are too many. Give at most ${MAX_MEMBERS}.`,
    );
  const agents = new Map<string, AgentRecord>();
  for (const id of ids) {
    const agent = await requireAgent(deps, account, id, 'agentIds');
    agents.set(agent.id, agent);
  }
  return [...agents.values()];
}

/**
 * Removes an agent from the owners after an operator removed or demoted them, so that a repair does not restore them.
 */
async function removeOwner(deps: StoreDeps, account: AccountRecord, { email }: AgentRecord): Promise<void> {
  const owners = account.owners.filter(owner => owner.email.toLowerCase() !== email?.toLowerCase());
  if (owners.length < account.owners.length) await deps.stores.setup.updateAccount(account.id, { owners });
}

const reloadAgent = async (deps: ProviderDeps, account: AccountRecord, externalId: string): Promise<AgentRecord> => {
  await mirrorDirectory(deps, account);
  return requireAgent(deps, account, externalId, 'agentId');
};

async function addAgent(deps: ProviderDeps, scope: Scope, input: AddAgentInput) {
  const name = validateId(input.name, 'name', 200);
  const email = validateEmail(input.email);
  const account = await requireAccount(deps, scope, input.accountId);
  const people = requireVerbs(deps, account, 'agentsAndTeams', 'managesAgents');
  // Checked first, so that a call that names something missing does nothing.
  const memberships = await resolveMemberships(deps, account, input);
  const added = await asInvalidInput(
    'email',
    people.addAgent({ access: accessOf(deps, account), name, email, role: input.role }, setupSignal(deps)),
  );
  const listed = await reloadAgent(deps, account, added.externalId);
  const agent =
    input.userId === null
      ? listed
      : ((await deps.stores.setup.linkAgentToUser(scope.organizationId, listed.id, input.userId)) ?? listed);
  return { agent, ...(await addAgentTo(deps, account, agent, memberships)) };
}

async function changeAgentRole(deps: ProviderDeps, scope: Scope, { accountId, agentId, role }: ChangeAgentRoleInput) {
  const { agent, account } = await findAgentAndAccount(deps, scope, agentId, accountId);
  const people = requireVerbs(deps, account, 'agentsAndTeams', 'managesAgents');
  await asInvalidInput(
    'agentId',
    people.changeAgentRole({ access: accessOf(deps, account), agentId: agent.externalId, role }, setupSignal(deps)),
  );
  if (role === 'AGENT') await removeOwner(deps, account, agent);
  return reloadAgent(deps, account, agent.externalId);
}

async function removeAgent(deps: ProviderDeps, scope: Scope, { accountId, agentId, deletePerson }: RemoveAgentInput) {
  const { agent, account } = await findAgentAndAccount(deps, scope, agentId, accountId);
  const people = requireVerbs(deps, account, 'agentsAndTeams', 'managesAgents');
  const outcome = await asInvalidInput(
    'agentId',
    people.removeAgent({ access: accessOf(deps, account), agentId: agent.externalId, deletePerson }, setupSignal(deps)),
  );
  if (outcome === 'WOULD_DELETE_PERSON')
    throw new ConflictError(
      'WOULD_DELETE_PERSON',
      'deletePerson',
      `With the credentials of this account ${agent.name} can only be removed by deleting them from the provider if this is their last account. Repeat with deletePerson: true, or remove them there by hand.`,
    );
  await removeOwner(deps, account, agent);
  await mirrorDirectory(deps, account);
  return agent;
}

async function setInboxMembers(deps: ProviderDeps, scope: Scope, { chatbotId, agentIds }: SetInboxMembersInput) {
  const inbox = await deps.stores.setup.findInboxByChatbot(scope.organizationId, chatbotId);
  if (inbox === null)
    throw new NotFoundError(
      'CHATBOT_NOT_ENABLED',
      'chatbotId',
      'This chatbot has no support inbox. Call enableChatbotSupport for it first.',
    );
  const account = await requireAccount(deps, scope, inbox.accountId);
  const people = requireVerbs(deps, account, 'agentsAndTeams', 'inboxMembers');
  const access = inboxAccessOf(deps, account, inbox);
  if (access === null)
    throw new ConflictError(
      'ACCOUNT_DISABLED',
      'chatbotId',
      `Inbox ${inbox.id} is ${inbox.state}. Call enableChatbotSupport again until it is READY.`,
    );
  const members = await findMembers(deps, account, agentIds);
  await asInvalidInput(
    'agentIds',
    people.setInboxMembers(
      access,
      members.map(agent => agent.externalId),
      setupSignal(deps),
    ),
  );
  return deps.stores.setup.updateInbox(inbox.id, { memberIds: members.map(agent => agent.id) });
}

async function createTeam(
  deps: ProviderDeps,
  scope: Scope,
  { accountId, name, agentIds, autoAssign }: CreateTeamInput,
) {
  validateId(name, 'name', 200);
  const account = await requireAccount(deps, scope, accountId);
  const people = requireVerbs(deps, account, 'agentsAndTeams', 'managesTeams');
  const members = agentIds === null ? null : await findMembers(deps, account, agentIds);
  const made = await asInvalidInput(
    'name',
    people.createTeam(accessOf(deps, account), { name: name.trim(), autoAssign }, setupSignal(deps)),
  );
  await mirrorDirectory(deps, account);
  const team = await deps.stores.setup.setTeamAutoAssign(
    (await requireTeam(deps, account, made.externalId, 'name')).id,
    autoAssign,
  );
  if (members === null) return team;
  await asInvalidInput(
    'agentIds',
    people.setTeamMembers(
      accessOf(deps, account),
      team.externalId,
      members.map(agent => agent.externalId),
      setupSignal(deps),
    ),
  );
  return deps.stores.setup.setTeamMembers(
    team.id,
    members.map(agent => agent.id),
  );
}

async function setTeamMembers(deps: ProviderDeps, scope: Scope, { accountId, teamId, agentIds }: SetTeamMembersInput) {
  const [known] =
    isUuid(teamId) && accountId === null
      ? await deps.stores.setup.findTeamsByIds(scope.organizationId, [teamId])
      : [null];
  const account = await requireAccount(deps, scope, known?.accountId ?? accountId);
  const people = requireVerbs(deps, account, 'agentsAndTeams', 'managesTeams');
  const team = await requireTeam(deps, account, teamId, 'teamId');
  const members = await findMembers(deps, account, agentIds);
  await asInvalidInput(
    'agentIds',
    people.setTeamMembers(
      accessOf(deps, account),
      team.externalId,
      members.map(agent => agent.externalId),
      setupSignal(deps),
    ),
  );
  return deps.stores.setup.setTeamMembers(
    team.id,
    members.map(agent => agent.id),
  );
}

async function createLoginLink(deps: ProviderDeps, scope: Scope, { agentId, accountId, by }: CreateLoginLinkInput) {
  const { agent, account } = await findAgentAndAccount(deps, scope, agentId, accountId);
  const isThemselves = by.userId !== null && by.userId === agent.userId;
  if (by.role !== 'operator' && !isThemselves)
    throw new ConflictError(
      'LOGIN_LINK_REFUSED',
      'agentId',
      'The login link was refused. Only an operator may request it, or the agent, once linked to their user with linkSupportAgent.',
    );
  const url = await requireVerbs(deps, account, 'login', 'loginLinks').createLoginLink(
    accessOf(deps, account),
    agent.externalId,
    setupSignal(deps),
  );
  if (url === null)
    throw new ConflictError(
      'LOGIN_LINK_REFUSED',
      'agentId',
      `${agent.name} was not created by this service for this account. They sign in with their own password.`,
    );
  return { agent, url };
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
export const agentAndTeamFlows = (deps: ProviderDeps): AgentAndTeamFlows => ({
  addAgent: (scope, input) => addAgent(deps, scope, input),
  changeAgentRole: (scope, input) => changeAgentRole(deps, scope, input),
  removeAgent: (scope, input) => removeAgent(deps, scope, input),
  setInboxMembers: (scope, input) => setInboxMembers(deps, scope, input),
  createTeam: (scope, input) => createTeam(deps, scope, input),
  setTeamMembers: (scope, input) => setTeamMembers(deps, scope, input),
  createLoginLink: (scope, input) => createLoginLink(deps, scope, input),
});
