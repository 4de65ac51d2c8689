import {
  ConflictError,
  InvalidInputError,
  isUserFacing,
  NotFoundError,
  ProviderRefusedError,
  type UserFacingError,
} from '../../errors';
import type { InboxAccess } from '../../ports/provider/access';
import type { AccountRecord, AgentRecord, InboxRecord, TeamRecord } from '../../setup';
import { problemOf, requireTeam, requireVerbs, setupSignal } from './find-account';
import type { AddAgentInput } from '../api/agents-and-teams';
import { accessOf, inboxAccessOf, type ProviderDeps } from '../deps';

const MAX_MEMBERSHIPS = 100;

interface Memberships {
  readonly inboxes: readonly { readonly inbox: InboxRecord; readonly access: InboxAccess; readonly field: string }[];
  readonly teams: readonly { readonly team: TeamRecord; readonly field: string }[];
}

async function inboxFor(deps: ProviderDeps, account: AccountRecord, id: string, field: string) {
  const [inbox] = await deps.stores.setup.findInboxesByIds(account.organizationId, [id]);
  if (!inbox || inbox.accountId !== account.id)
    throw new NotFoundError(
      'INBOX_NOT_FOUND',
      field,
      'There is no such inbox in this account. Use an id from supportInboxes.',
    );
  const access = inboxAccessOf(deps, account, inbox);
  if (access === null || inbox.state === 'DISABLED')
    throw new ConflictError(
      'ACCOUNT_DISABLED',
      field,
      `Inbox ${inbox.id} is ${inbox.state}. Call enableChatbotSupport for it first.`,
    );
  return { inbox, access, field };
}

/** Runs one part, or returns why it failed. */
async function runPart<T>(
  field: string,
  what: string,
  work: () => Promise<T>,
): Promise<{ readonly done: T } | { readonly problem: UserFacingError }> {
  try {
    return { done: await work() };
  } catch (error) {
    if (error instanceof ProviderRefusedError)
      return { problem: new InvalidInputError('INPUT_INVALID', field, error.message) };
    if (isUserFacing(error)) return { problem: error };
    return {
      problem: new ConflictError(
        'MEMBERSHIP_NOT_SET',
        field,
        `The agent is in the account, but was not added to ${what}: ${problemOf(error).message} Repeat the call.`,
      ),
    };
  }
}

/** Finds all named inboxes and teams before anything is done. @throws UserFacingError naming the field */
export async function resolveMemberships(
  deps: ProviderDeps,
  account: AccountRecord,
  { inboxIds, teamIds }: Pick<AddAgentInput, 'inboxIds' | 'teamIds'>,
): Promise<Memberships> {
  for (const [field, ids] of Object.entries({ inboxIds, teamIds }))
    if (ids.length > MAX_MEMBERSHIPS)
      throw new InvalidInputError(
        'INPUT_INVALID',
        field,
        `${field} has ${ids.length} entries. Give at most ${MAX_MEMBERSHIPS}.`,
      );
  if (inboxIds.length > 0) requireVerbs(deps, account, 'agentsAndTeams', 'inboxMembers');
  if (teamIds.length > 0) requireVerbs(deps, account, 'agentsAndTeams', 'managesTeams');
  const inboxes = [];
  for (const [at, id] of inboxIds.entries()) inboxes.push(await inboxFor(deps, account, id, `inboxIds.${at}`));
  const teams = [];
  for (const [at, id] of teamIds.entries())
    teams.push({ team: await requireTeam(deps, account, id, `teamIds.${at}`), field: `teamIds.${at}` });
  return { inboxes, teams };
}

/**
 * Adds one agent to inboxes and teams. Repeatable: existing members stay. Member lists that were set from here include
 * the agent from now on.
 */
export async function addAgentTo(
  deps: ProviderDeps,
  account: AccountRecord,
  agent: AgentRecord,
  { inboxes, teams }: Memberships,
) {
  const { setup } = deps.stores;
  const people = requireVerbs(deps, account, 'agentsAndTeams', 'managesAgents');
  const withAgent = (ids: readonly string[]) => [...new Set([...ids, agent.id])];
  const joined: { inboxes: InboxRecord[]; teams: TeamRecord[]; problems: UserFacingError[] } = {
    inboxes: [],
    teams: [],
    problems: [],
  };
  for (const { inbox, access, field } of inboxes) {
    const outcome = await runPart(field, `the inbox ${inbox.name}`, async () => {
      await people.addInboxMember(access, agent.externalId, setupSignal(deps));
      const { memberIds } = (await setup.findInbox(account.organizationId, inbox.id)) ?? inbox;
      return memberIds === null ? inbox : setup.updateInbox(inbox.id, { memberIds: withAgent(memberIds) });
    });
    if ('done' in outcome) joined.inboxes.push(outcome.done);
    else joined.problems.push(outcome.problem);
  }
  for (const { team, field } of teams) {
    const outcome = await runPart(field, `the team ${team.name}`, async () => {
      await people.addTeamMember(accessOf(deps, account), team.externalId, agent.externalId, setupSignal(deps));
      const { memberIds } = (await setup.findTeamsByIds(account.organizationId, [team.id]))[0] ?? team;
      return memberIds === null ? team : setup.setTeamMembers(team.id, withAgent(memberIds));
    });
    if ('done' in outcome) joined.teams.push(outcome.done);
    else joined.problems.push(outcome.problem);
  }
  return joined;
}
