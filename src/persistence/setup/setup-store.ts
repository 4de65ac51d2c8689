import type { Pool } from 'pg';
import { isUuid, type UserId } from '../../core/ids';
import type { Clock } from '../../core/ports/clock';
import type { AccountHealthStore, AccountStore } from '../../core/ports/setup/account-store';
import type { AgentStore } from '../../core/ports/setup/agent-store';
import type { InboxStore } from '../../core/ports/setup/inbox-store';
import type { TeamStore } from '../../core/ports/setup/team-store';
import type { SetupStore } from '../../core/ports/stores';
import type { ProviderAgent, ProviderTeam } from '../../core/ports/provider/setup-verbs';
import type { AgentRecord, TeamRecord } from '../../core/setup';
import { AccountTable } from './account-table';
import { DirectoryTable } from './directory-table';
import { InboxTable } from './inbox-table';
import { AGENT, AGENT_FIELDS, TEAM, TEAM_FIELDS } from '../postgres/records';
import type { SecretBox } from '../postgres/secret-box';
import { firstOf, inTransaction, toJson, rowsOf, statement } from '../postgres/sql';

const AGENTS_BY_USERS = statement(
  'agents_by_users',
  `
  select ${AGENT} from agent a where a.organization_id = $1 and a.user_id = any($2::text[]) and a.gone_at is null order by a.name, a.id`,
);
// An agent that was unlinked by hand must not be linked again by an address that was set before.
const LINK_AGENT = statement(
  'link_agent',
  `
  with forgotten as (
    delete from user_email e using agent a where $3::text is null and a.organization_id = $1 and a.id = $2 and e.organization_id = $1 and e.email = lower(a.email)
  )
  update agent a set user_id = $3 where a.organization_id = $1 and a.id = $2 returning ${AGENT}`,
);
const REMEMBER_EMAIL = statement(
  'remember_email',
  `
  insert into user_email (organization_id, email, user_id) values ($1, lower($2), $3)
  on conflict on constraint pk_user_email do update set user_id = excluded.user_id`,
);
const FORGET_EMAIL = statement(
  'forget_email',
  `
  with forgotten as (delete from user_email where organization_id = $1 and email = lower($2) returning user_id)
  update agent a set user_id = null from forgotten f where a.organization_id = $1 and lower(a.email) = lower($2) and a.user_id = f.user_id`,
);
/** Without an address: links all agents. */
const LINK_BY_EMAIL = statement(
  'link_by_email',
  `
  update agent a set user_id = e.user_id from user_email e
  where a.organization_id = $1 and e.organization_id = $1 and e.email = lower(a.email) and ($2::text is null or e.email = lower($2)) and a.user_id is null`,
);
const AGENTS_BY_EMAIL = statement(
  'agents_by_email',
  `
  select ${AGENT} from agent a where a.organization_id = $1 and lower(a.email) = lower($2) and a.gone_at is null order by a.name, a.id`,
);
const SET_TEAM_AUTO_ASSIGN = statement(
  'set_team_auto_assign',
  `update team t set auto_assign = $2 where t.id = $1 returning ${TEAM}`,
);
const SET_TEAM_MEMBERS = statement(
  'set_team_members',
  `update team t set member_ids = $2 where t.id = $1 returning ${TEAM}`,
);

/** Creates the store of accounts, inboxes, and the lists that are mirrored from the provider. */
export const createSetupStore = (pool: Pool, secretBox: SecretBox, clock: Clock): SetupStore => ({
  ...createAccountStore(new AccountTable(pool, secretBox, clock)),
  ...createInboxStore(new InboxTable(pool, secretBox)),
  ...createDirectoryStore(pool, clock),
});

const createAccountStore = (accounts: AccountTable): AccountStore & AccountHealthStore => ({
  insertAccount: account => accounts.insert(account),
  updateAccount: (id, patch) => accounts.update(id, patch),
  finishAccountSetup: (account, patch) => accounts.finishSetup(account, patch),
  disableAccount: (id, problemOfInboxes) => accounts.disable(id, problemOfInboxes),
  findAccount: (organizationId, id) => accounts.get(organizationId, id),
  rotateWebhookSecret: (id, secret, rotation) => accounts.rotateWebhookSecret(id, secret, rotation),
  findAccountForWebhook: (id, secret) => accounts.findForWebhook(id, secret),
  listAccounts: organizationId => accounts.listByOrganization(organizationId),
  findAccountsByIds: (organizationId, ids) => accounts.findByIds(organizationId, ids),

  scheduleCheck: (id, afterMs) => accounts.scheduleCheck(id, afterMs),
  claimChecks: (limit, everyMs) => accounts.claimChecks(limit, everyMs),
  markHealth: (organizationId, sessionId, health) => accounts.markHealth(organizationId, sessionId, health),
  markRecovered: (organizationId, sessionId, source, at) =>
    accounts.markRecovered(organizationId, sessionId, source, at),
  hasUnauthorizedAccounts: () => accounts.hasUnauthorized(),
});

const createInboxStore = (inboxes: InboxTable): InboxStore => ({
  insertInbox: inbox => inboxes.insert(inbox),
  updateInbox: (id, patch) => inboxes.update(id, patch),
  finishInboxSetup: (inbox, account, patch) => inboxes.finishSetup(inbox, account, patch),
  disableInbox: id => inboxes.disable(id),
  findInbox: (organizationId, id) => inboxes.get(organizationId, id),
  findInboxByChatbot: (organizationId, chatbotId) => inboxes.findByChatbot(organizationId, chatbotId),
  findInboxesByIds: (organizationId, ids) => inboxes.findByIds(organizationId, ids),
  findInboxesByChatbots: (organizationId, chatbotIds) => inboxes.findByChatbots(organizationId, chatbotIds),
  listInboxes: (organizationId, accountId) => inboxes.listByOrganization(organizationId, accountId),
  listInboxesOfAccounts: (organizationId, accountIds) => inboxes.listByAccounts(organizationId, accountIds),
});

function createDirectoryStore(pool: Pool, clock: Clock): TeamStore & AgentStore {
  const teams = new DirectoryTable<TeamRecord, ProviderTeam>(pool, clock, 'team', TEAM_FIELDS, ['name']);
  const agents = new DirectoryTable<AgentRecord, ProviderAgent>(pool, clock, 'agent', AGENT_FIELDS, [
    'name',
    'email',
    'role',
  ]);
  return {
    syncTeams: (account, listed) => teams.mirror(account, listed),
    async syncAgents(account, listed) {
      await agents.mirror(account, listed);
      await rowsOf(pool, LINK_BY_EMAIL, [account.organizationId, null]);
      return agents.listByOrganization(account.organizationId, account.id);
    },
    listTeams: (organizationId, accountId) => teams.listByOrganization(organizationId, accountId),
    listAgents: (organizationId, accountId) => agents.listByOrganization(organizationId, accountId),
    listTeamsOfAccounts: (organizationId, accountIds) => teams.listByAccounts(organizationId, accountIds),
    listAgentsOfAccounts: (organizationId, accountIds) => agents.listByAccounts(organizationId, accountIds),
    findTeamsByIds: (organizationId, ids) => teams.findByIds(organizationId, ids),
    findAgentsByIds: (organizationId, ids) => agents.findByIds(organizationId, ids),
    findTeam: (accountId, id) => teams.find(accountId, id),
    findAgent: (accountId, id) => agents.find(accountId, id),

    async findAgentsByUsers(organizationId, userIds) {
      const byUser = new Map<UserId, AgentRecord[]>(userIds.map(id => [id, []]));
      if (byUser.size > 0)
        for (const agent of await rowsOf<AgentRecord>(pool, AGENTS_BY_USERS, [organizationId, [...byUser.keys()]]))
          byUser.get(agent.userId!)?.push(agent);
      return byUser;
    },
    async linkAgentToUser(organizationId, agentId, userId) {
      return isUuid(agentId) ? firstOf<AgentRecord>(pool, LINK_AGENT, [organizationId, agentId, userId]) : null;
    },
    async linkEmailToUser(organizationId, email, userId) {
      await inTransaction(pool, async client => {
        // Also removes the links that the earlier setting created.
        await rowsOf(client, FORGET_EMAIL, [organizationId, email]);
        if (userId === null) return;
        await rowsOf(client, REMEMBER_EMAIL, [organizationId, email, userId]);
        await rowsOf(client, LINK_BY_EMAIL, [organizationId, email]);
      });
      return rowsOf<AgentRecord>(pool, AGENTS_BY_EMAIL, [organizationId, email]);
    },
    async setTeamAutoAssign(id, autoAssign) {
      return (await firstOf<TeamRecord>(pool, SET_TEAM_AUTO_ASSIGN, [id, autoAssign]))!;
    },
    async setTeamMembers(id, memberIds) {
      return (await firstOf<TeamRecord>(pool, SET_TEAM_MEMBERS, [id, toJson(memberIds)]))!;
    },
  };
}
