import type { Pool } from 'pg';
import { isUuid, type UserId } from '../core/ids';
import type { Clock } from '../core/ports/clock';
import type { SetupStore } from '../core/ports/stores';
import type { ProviderAgent, ProviderTeam } from '../core/ports/support-provider';
import type { AgentRecord, TeamRecord } from '../core/setup';
import { AccountTable } from './account-table';
import { DirectoryTable } from './directory-table';
import { InboxTable } from './inbox-table';
import { AGENT, AGENT_FIELDS, TEAM_FIELDS } from './records';
import type { SecretBox } from './secret-box';
import { firstOf, rowsOf, statement } from './sql';

const AGENTS_BY_USERS = statement('agents_by_users', `
  select ${AGENT} from agent a where a.organization_id = $1 and a.user_id = any($2::text[]) and a.gone_at is null order by a.name, a.id`);
const LINK_AGENT = statement('link_agent', `update agent a set user_id = $3 where a.organization_id = $1 and a.id = $2 returning ${AGENT}`);

/** What operators set up, and what is mirrored from the provider. */
export function createSetupStore(pool: Pool, secretBox: SecretBox, clock: Clock): SetupStore {
  const accounts = new AccountTable(pool, secretBox);
  const inboxes = new InboxTable(pool);
  const teams = new DirectoryTable<TeamRecord, ProviderTeam>(pool, clock, 'team', TEAM_FIELDS, ['name']);
  const agents = new DirectoryTable<AgentRecord, ProviderAgent>(pool, clock, 'agent', AGENT_FIELDS, ['name', 'email', 'role']);
  return {
    insertAccount: (account) => accounts.insert(account),
    updateAccount: (id, patch) => accounts.update(id, patch),
    account: (organizationId, id) => accounts.get(organizationId, id),
    accountForWebhook: (id, secret) => accounts.forWebhook(id, secret),
    accountsOf: (organizationId) => accounts.of(organizationId),
    accountsByIds: (organizationId, ids) => accounts.byIds(organizationId, ids),

    insertInbox: (inbox) => inboxes.insert(inbox),
    updateInbox: (id, patch) => inboxes.update(id, patch),
    inbox: (organizationId, id) => inboxes.get(organizationId, id),
    inboxOfChatbot: (organizationId, chatbotId) => inboxes.ofChatbot(organizationId, chatbotId),
    inboxesByIds: (organizationId, ids) => inboxes.byIds(organizationId, ids),
    inboxesByChatbots: (organizationId, chatbotIds) => inboxes.byChatbots(organizationId, chatbotIds),
    inboxesOf: (organizationId, accountId) => inboxes.of(organizationId, accountId),

    syncTeams: (account, listed) => teams.mirror(account, listed),
    syncAgents: (account, listed) => agents.mirror(account, listed),
    teamsOf: (organizationId, accountId) => teams.of(organizationId, accountId),
    agentsOf: (organizationId, accountId) => agents.of(organizationId, accountId),
    teamsByIds: (organizationId, ids) => teams.byIds(organizationId, ids),
    agentsByIds: (organizationId, ids) => agents.byIds(organizationId, ids),
    findTeam: (accountId, id) => teams.find(accountId, id),
    findAgent: (accountId, id) => agents.find(accountId, id),

    async agentsByUsers(organizationId, userIds) {
      const byUser = new Map<UserId, AgentRecord[]>(userIds.map((id) => [id, []]));
      if (byUser.size > 0)
        for (const agent of await rowsOf<AgentRecord>(pool, AGENTS_BY_USERS, [organizationId, [...byUser.keys()]])) byUser.get(agent.userId!)?.push(agent);
      return byUser;
    },
    async linkAgentToUser(organizationId, agentId, userId) {
      return isUuid(agentId) ? firstOf<AgentRecord>(pool, LINK_AGENT, [organizationId, agentId, userId]) : null;
    },
  };
}
