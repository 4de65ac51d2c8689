import type {
  EnsureAccount,
  EnsureInbox,
  EnsuredAccount,
  EnsuredInbox,
  Person,
  ProviderAgent,
  ProviderTeam,
} from '../../core/ports/provider/setup-verbs';
import { requireAccount, isDeskId, type Database, type Query } from './database';
import { deskSettings } from './settings';

export const CAPABILITIES = {
  teams: true,
  priorities: true,
  privateNotes: true,
  attachments: true,
  typing: false,
  createsAccounts: true,
  managesAgents: true,
  inboxMembers: false,
  managesTeams: true,
  loginLinks: false,
  inspectsDrift: true,
  maxTextLength: 100_000,
} as const;

/** Creates what is missing of an account and updates names. Keeps everything that exists. */
export async function ensureAccount(
  database: Database,
  now: string,
  { access, organizationId, name, owners, save }: EnsureAccount,
): Promise<EnsuredAccount> {
  const settings = deskSettings(access.settings);
  const externalId = await database.transaction(
    async (query): Promise<string> =>
      (
        await query(
          `
    insert into desk_account (our_id, organization_id, name, created_at) values ($1, $2, $3, $4)
    on conflict on constraint uq_desk_account_our_id do update set name = excluded.name returning id`,
          [access.accountId, organizationId, name, now],
        )
      ).rows[0].id,
  );
  await save({ externalId, settings });

  await database.transaction(async query => {
    await query(
      `
      insert into desk_agent (account_id, kind, name, role) values ($1, 'BOT', 'BotAgent1', 'ADMINISTRATOR')
      on conflict (account_id) where kind = 'BOT' do update set role = excluded.role`,
      [externalId],
    );
    for (const agent of settings.agents) await ensureAgent(query, externalId, agent, 'AGENT');
    for (const owner of owners) await ensureAgent(query, externalId, owner, 'ADMINISTRATOR');
  });
  await save({ externalId, settings });

  const manualSteps = await database.transaction(async query => {
    const strangers = new Set<string>();
    for (const team of settings.teams)
      for (const stranger of await ensureTeam(query, externalId, team)) strangers.add(stranger);
    return findManualSteps(query, externalId, [...strangers]);
  });
  await save({ externalId, settings });
  return { externalId, capabilities: CAPABILITIES, settings, credentials: {}, manualSteps };
}

/**
 * Adds or renames an agent. An administrator stays one, so an owner who is also listed as an agent has the higher role
 * in any order.
 */
async function ensureAgent(
  query: Query,
  accountId: string,
  { name, email }: Person,
  role: ProviderAgent['role'],
): Promise<void> {
  await query(
    `
    insert into desk_agent (account_id, kind, name, email, role) values ($1, 'PERSON', $2, $3, $4)
    on conflict on constraint uq_desk_agent_email do update set name = excluded.name,
      role = case when desk_agent.role = 'ADMINISTRATOR' then desk_agent.role else excluded.role end`,
    [accountId, name, email.toLowerCase(), role],
  );
}

/** Creates a team and adds its members. Returns the e-mails that belong to no agent. */
async function ensureTeam(
  query: Query,
  accountId: string,
  team: { readonly name: string; readonly members?: readonly string[] | undefined },
): Promise<readonly string[]> {
  const {
    rows: [{ id }],
  } = await query(
    `
    insert into desk_team (account_id, name) values ($1, $2)
    on conflict on constraint uq_desk_team_name do update set name = excluded.name returning id`,
    [accountId, team.name],
  );
  const { rows: known } = await query(
    `
    with member as (select id, email from desk_agent where account_id = $2 and kind = 'PERSON' and ($3::text[] is null or email = any($3))),
      made as (insert into desk_team_member (team_id, agent_id) select $1, id from member on conflict do nothing)
    select email from member`,
    [id, accountId, team.members ?? null],
  );
  return (team.members ?? []).filter(email => !known.some(member => member.email === email));
}

async function findManualSteps(query: Query, accountId: string, strangers: readonly string[]): Promise<string[]> {
  const {
    rows: [{ people }],
  } = await query(`select count(*)::int as people from desk_agent where account_id = $1 and kind = 'PERSON'`, [
    accountId,
  ]);
  return [
    ...(people === 0
      ? ['The desk has no agents, so nobody can reply; enable support again with owners or settings.agents.']
      : []),
    ...strangers.map(
      email =>
        `${email} is named as a member of a team but is neither an owner nor in settings.agents; add the person there and enable support again.`,
    ),
  ];
}

export async function ensureInbox(
  query: Query,
  { account, inboxId, chatbotId, name }: EnsureInbox,
): Promise<EnsuredInbox> {
  const {
    rows: [inbox],
  } = await query(
    `
    insert into desk_inbox (account_id, our_id, chatbot_id, name) values ($1, $2, $3, $4)
    on conflict on constraint uq_desk_inbox_our_id do update set name = excluded.name returning id`,
    [await requireAccount(query, account), inboxId, chatbotId, name],
  );
  return { externalId: inbox.id, providerData: {} };
}

export async function listTeams(query: Query, accountId: string): Promise<ProviderTeam[]> {
  const { rows } = await query('select id, name from desk_team where account_id = $1 order by id', [accountId]);
  return rows.map(({ id, name }) => ({ externalId: id, name }));
}

export async function listAgents(query: Query, accountId: string): Promise<ProviderAgent[]> {
  const { rows } = await query(
    `select id, name, email, role from desk_agent where account_id = $1 and kind = 'PERSON' order by id`,
    [accountId],
  );
  return rows.map(({ id, name, email, role }) => ({ externalId: id, name, email, role }));
}

/** Returns whether both ids are possible targets in this account. Null is always possible. */
export async function areTargetsValid(
  query: Query,
  accountId: string,
  { teamId, agentId }: { readonly teamId: string | null; readonly agentId: string | null },
): Promise<boolean> {
  if (![teamId, agentId].every(id => id === null || isDeskId(id))) return false;
  const {
    rows: [{ fits }],
  } = await query(
    `
    select ($2::bigint is null or exists (select from desk_team where account_id = $1 and id = $2))
      and ($3::bigint is null or exists (select from desk_agent where account_id = $1 and id = $3 and kind = 'PERSON')) as fits`,
    [accountId, teamId, agentId],
  );
  return fits;
}
