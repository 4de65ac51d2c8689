import type { DesiredState, DriftItem, DriftVerbs } from '../../core/ports/provider/drift';
import { withTimeLimit, isDeskId, type Database, type Query } from './database';
import { ProviderRefusedError } from '../../core/errors';

const ADMINISTRATOR = 'ADMINISTRATOR';

/**
 * Returns the desk's id of the account. Unlike `accountOf`, it reports no error for a BotAgent without its role:
 * the inspection reports that as drift.
 */
async function findAccount(query: Query, { access }: DesiredState): Promise<string> {
  const {
    rows: [account],
  } =
    access.externalId !== null && isDeskId(access.externalId)
      ? await query('select id from desk_account where id = $1 and our_id = $2', [access.externalId, access.accountId])
      : { rows: [] };
  if (!account)
    throw new ProviderRefusedError('The desk has no such account; enable support for the organization again.', {
      gone: true,
    });
  return account.id;
}

const emails = (people: readonly { email: string }[]): string[] => people.map(({ email }) => email.toLowerCase());
const joinIds = (ids: readonly string[]): string =>
  [...ids].sort((a, b) => Number(a) - Number(b)).join(', ') || 'nobody';

async function inspect(query: Query, accountId: string, desired: DesiredState): Promise<DriftItem[]> {
  return [
    await inspectBot(query, accountId),
    ...(await inspectOwners(query, accountId, desired)),
    ...(await inspectInboxes(query, accountId, desired)),
    ...(await inspectTeams(query, accountId, desired)),
  ];
}

async function inspectBot(query: Query, accountId: string): Promise<DriftItem> {
  const {
    rows: [bot],
  } = await query(`select role, name from desk_agent where account_id = $1 and kind = 'BOT'`, [accountId]);
  return createItem(
    'bot-agent:role',
    'BOT_AGENT_ROLE',
    'BotAgent1',
    ADMINISTRATOR,
    bot?.role ?? null,
    'BotAgent1 is no longer an administrator of this desk; repair this item.',
  );
}

async function inspectOwners(query: Query, accountId: string, { owners }: DesiredState): Promise<DriftItem[]> {
  const { rows: people } = await query(
    `select email, role from desk_agent where account_id = $1 and kind = 'PERSON' and email = any($2)`,
    [accountId, emails(owners)],
  );
  return owners.map(({ name, email }) => {
    const role = people.find(person => person.email === email.toLowerCase())?.role ?? null;
    return createItem(
      `owner:${email.toLowerCase()}`,
      'OWNER',
      name,
      ADMINISTRATOR,
      role,
      `${email} should be an administrator of this desk; repair this item, or remove the person from the owners.`,
    );
  });
}

async function inspectInboxes(query: Query, accountId: string, desired: DesiredState): Promise<DriftItem[]> {
  const { rows: inboxes } = await query('select id, name from desk_inbox where account_id = $1', [accountId]);
  return desired.inboxes.map(({ inboxId, externalId, name }) => {
    const observed = inboxes.find(inbox => inbox.id === externalId)?.name ?? null;
    if (observed === null)
      return {
        ...createItem(
          `inbox:${inboxId}`,
          'INBOX',
          name,
          'exists',
          null,
          'The inbox no longer exists at the desk; enable support for the chatbot again.',
        ),
        repairable: false,
      };
    return createItem(
      `inbox:${inboxId}:name`,
      'INBOX_NAME',
      name,
      name,
      observed,
      'The inbox has another name than its chatbot; repair this item.',
    );
  });
}

async function inspectTeams(query: Query, accountId: string, { teams }: DesiredState): Promise<DriftItem[]> {
  const { rows: members } = await query(
    `
    select m.team_id, m.agent_id from desk_team_member m join desk_team t on t.id = m.team_id where t.account_id = $1`,
    [accountId],
  );
  return teams.flatMap(team => {
    if (team.members === null) return [];
    const observed = members
      .filter(member => member.team_id === team.externalId)
      .map(member => String(member.agent_id));
    return createItem(
      `team:${team.externalId}:members`,
      'TEAM_MEMBERS',
      team.name,
      joinIds(team.members),
      joinIds(observed),
      "The team's members are not those set through this service; repair this item, or set the members again.",
    );
  });
}

const createItem = (
  id: string,
  kind: DriftItem['kind'],
  subject: string,
  desired: string,
  observed: string | null,
  problem: string,
): DriftItem => ({
  id,
  kind,
  subject,
  desired,
  observed,
  repairable: true,
  problem: desired === observed ? null : problem,
});

/** Compares a desk account with its desired state, and repairs the requested items. */
export const createDriftVerbs = (database: Database): DriftVerbs => ({
  inspectDrift: (desired, signal) =>
    withTimeLimit(signal, () =>
      database.transaction(async query => ({
        items: await inspect(query, await findAccount(query, desired), desired),
        learned: {},
      })),
    ),

  repairDrift: ({ desired, items: wanted }, signal) =>
    withTimeLimit(signal, () =>
      database.transaction(async query => {
        const accountId = await findAccount(query, desired);
        for (const { id, kind, problem, repairable } of await inspect(query, accountId, desired)) {
          if (problem === null || !repairable || !wanted.includes(id)) continue;
          if (kind === 'BOT_AGENT_ROLE')
            await query(
              `
          insert into desk_agent (account_id, kind, name, role) values ($1, 'BOT', 'BotAgent1', $2)
          on conflict (account_id) where kind = 'BOT' do update set role = excluded.role`,
              [accountId, ADMINISTRATOR],
            );
          for (const owner of desired.owners)
            if (id === `owner:${owner.email.toLowerCase()}`)
              await query(
                `
            insert into desk_agent (account_id, kind, name, email, role) values ($1, 'PERSON', $2, $3, $4)
            on conflict on constraint uq_desk_agent_email do update set role = excluded.role`,
                [accountId, owner.name, owner.email.toLowerCase(), ADMINISTRATOR],
              );
          for (const inbox of desired.inboxes)
            if (id === `inbox:${inbox.inboxId}:name`)
              await query('update desk_inbox set name = $2 where account_id = $3 and id = $1', [
                inbox.externalId,
                inbox.name,
                accountId,
              ]);
          for (const team of desired.teams)
            if (id === `team:${team.externalId}:members`) {
              await query('delete from desk_team_member where team_id = $1 and agent_id <> all ($2::bigint[])', [
                team.externalId,
                team.members,
              ]);
              await query(
                `
            insert into desk_team_member (team_id, agent_id)
            select $1, a.id from desk_agent a where a.account_id = $3 and a.kind = 'PERSON' and a.id = any($2::bigint[]) on conflict do nothing`,
                [team.externalId, team.members, accountId],
              );
            }
        }
      }),
    ),
});
