import { play, prepare, type Step } from './script';
import type { Replay } from './replay';

const anyOrder = { anyOrder: true };

/** Creates a user whom no recording creates, and keeps their token. */
async function addUser(
  theatre: Replay,
  who: string,
  fields: Record<string, unknown>,
  accountId: number,
  role: string,
): Promise<void> {
  const user = await theatre.call('PLATFORM', 'POST', '/platform/api/v1/users', { password: 'Passw0rd!x', ...fields });
  theatre.replacements.set(`<${who}_TOKEN>`, user.access_token);
  theatre.remembered[who] = user.id;
  if (role)
    await theatre.call('PLATFORM', 'POST', `/platform/api/v1/accounts/${accountId}/account_users`, {
      user_id: user.id,
      role,
    });
}

const person = (name: string, displayName: string, key: string) => ({
  name,
  display_name: displayName,
  email: `${key}.kmxmek@acme.example`,
  custom_attributes: { external_ref: key },
});

export const platformScript: Step[] = [
  prepare(theatre => theatre.replacements.set('<OTHER_PLATFORM_TOKEN>', theatre.double.addPlatformApp('another'))),
  play('platform.account.create.no_token.401'),
  play('platform.account.create.bad_token.401'),
  play('platform.account.create.no_name.422'),
  play('platform.account.create.200'),
  play('platform.account.get.200'),
  play('platform.account.get.missing.404'),
  play('platform.account.get.other_app.401'),
  play('platform.account.list.200'),
  play('platform.account.update.200'),
  prepare(theatre => theatre.call('PLATFORM', 'POST', '/platform/api/v1/accounts', { name: 'Other kmxmek' })),
  play('platform.user.create.200', {}, (theatre, user) => theatre.replacements.set('<ADMIN_TOKEN>', user.access_token)),
  play('platform.user.create.same_email.200'),
  play('platform.user.create.weak_password.422'),
  play('platform.user.create.no_password.422'),
  play('platform.user.create.no_email.422'),
  play('platform.user.create.bad_email.422'),
  play('platform.account_user.create.200'),
  prepare(async theatre => {
    await addUser(theatre, 'BOT', person('Botty Bridge', 'Botty', 'bot'), 1, 'administrator');
    await addUser(theatre, 'ALICE', person('Alice Agent', 'Alice', 'alice'), 1, '');
    await addUser(theatre, 'BOB', person('Bob Agent', 'Bob', 'bob'), 1, '');
    await addUser(theatre, 'CAROL', person('Carol Outsider', 'Carol', 'carol'), 1, '');
    await addUser(theatre, 'ZED', person('Zed Other', 'Zed', 'zed'), 2, 'administrator');
  }),
  play('platform.user.get.200'),
  play('platform.user.get.other_app.401'),
  play('platform.user.get.user_token.401'),
  play('platform.user.update.200'),
  play('platform.user.token.200'),
  prepare(async theatre => {
    for (const id of [4, 5, 6])
      await theatre.call('PLATFORM', 'POST', '/platform/api/v1/accounts/1/account_users', {
        user_id: id,
        role: 'agent',
      });
  }),
  play('platform.account_user.create.again.200'),
  play('platform.account_user.create.bad_role.500'),
  play('platform.account_user.create.no_user.422'),
  play('platform.account_user.list.200'),
  play('platform.user.login.200'),
];

export const authScript: Step[] = [
  play('auth.no_token.401'),
  play('auth.bearer.401'),
  play('auth.bad_token.401'),
  play('auth.not_a_member.401'),
  play('auth.account_missing.404'),
  play('auth.platform_token.401'),
  play('account.get.200'),
  play('profile.get.200'),
  play('auth.sign_in.200'),
  play('auth.sign_in.wrong_password.401'),
  prepare(async theatre => {
    const { url } = await theatre.call('PLATFORM', 'GET', '/platform/api/v1/users/4/login');
    const token = new URL(url).searchParams.get('sso_auth_token') as string;
    theatre.replacements.set('376b555f9a27cca7c64e0c0eb012dd1f039d3be80a4f046213830d6d54c94dca', token);
  }),
  play('auth.sign_in.sso.200'),
  play('auth.sign_in.sso_reused.401'),
];

export const peopleScript: Step[] = [
  play('agents.list.200'),
  play('agents.list.agent.200'),
  play('agents.create.agent.401'),
  play('agents.create.bad_email.422'),
  play('agents.create.200'),
  play('agents.create.same_email.422'),
  play('agents.update.200'),
  play('agents.delete.200'),
  play('agents.delete.missing.404'),
  prepare(theatre => addUser(theatre, 'TMP', { name: 'Tmp', email: 'tmp.ys93w6@acme.example' }, 1, 'administrator')),
  play('profile.reset_access_token.200', {}, (theatre, profile) =>
    theatre.replacements.set('<TMP_TOKEN_2>', profile.access_token),
  ),
  play('auth.rotated_token.401'),
  play('platform.account_user.delete.200', theatre => ({ body: { user_id: theatre.remembered['TMP'] } })),
  play('auth.removed_from_account.401'),
  play('platform.user.delete.200', theatre => ({ path: `/platform/api/v1/users/${theatre.remembered['TMP']}` })),
];

export const inboxScript: Step[] = [
  play('inboxes.create.no_name.422'),
  play('inboxes.create.bad_type.422'),
  play('inboxes.create.agent.401'),
  play('inboxes.create.200', {}, (theatre, inbox) =>
    theatre.replacements.set('<INBOX_IDENTIFIER>', inbox.inbox_identifier),
  ),
  play('inboxes.get.200'),
  play('inboxes.get.missing.404'),
  play('inboxes.get.other_account.404'),
  play('inboxes.get.agent_not_member.401'),
  play('inboxes.list.agent_not_member.200'),
  play('inboxes.create.locked.200'),
  play('inboxes.create.bad_webhook_url.200'),
  play('inboxes.list.200'),
  play('inboxes.update.200'),
  play('inboxes.update.working_hours.200'),
  play('inbox_members.create.agent.401'),
  play('inbox_members.create.missing_inbox.404'),
  play('inbox_members.create.unknown_user.422'),
  play('inbox_members.create.200', anyOrder),
  play('inbox_members.create.again.200', anyOrder),
  play('inbox_members.create.foreign_user.200', anyOrder),
  play('inbox_members.update.200', anyOrder),
  play('inbox_members.delete.200'),
  play('inbox_members.list.200', anyOrder),
  play('inboxes.list.agent.200'),
  play('assignable_agents.list.200'),
];

export const settingsScript: Step[] = [
  play('teams.create.no_name.422'),
  play('teams.create.agent.401'),
  play('teams.create.200'),
  play('teams.create.same_name.422'),
  prepare(theatre =>
    theatre.call('ADMIN', 'POST', '/api/v1/accounts/1/teams', { name: 'Auto kmxmek', allow_auto_assign: true }),
  ),
  play('teams.get.200'),
  play('teams.get.missing.404'),
  play('teams.list.200'),
  play('teams.list.agent.200'),
  play('teams.update.200'),
  play('team_members.create.200'),
  play('team_members.create.foreign_user.401'),
  play('team_members.update.200', anyOrder),
  play('team_members.delete.200'),
  play('team_members.list.200'),
  prepare(theatre => theatre.call('ADMIN', 'POST', '/api/v1/accounts/1/teams/2/team_members', { user_ids: [5] })),
  prepare(async theatre => {
    theatre.remembered['gone'] = (await theatre.call('ADMIN', 'POST', '/api/v1/accounts/1/teams', { name: 'gone' })).id;
  }),
  play('teams.delete.200', theatre => ({ path: `/api/v1/accounts/1/teams/${theatre.remembered['gone']}` })),
  play('labels.create.200'),
  play('labels.create.again.422'),
  play('labels.list.200'),
  play('canned_responses.create.200'),
  play('canned_responses.list.200'),
  play('platform.agent_bot.create.200'),
  play('platform.agent_bot.list.200'),
  play('agent_bots.create.agent.401'),
  play('agent_bots.create.200', {}, (theatre, bot) => theatre.replacements.set('<AGENT_BOT_TOKEN>', bot.access_token)),
  play('agent_bots.list.200'),
  play('agent_bots.list.agent.200'),
  play('webhooks.create.200'),
  play('webhooks.create.same_url.422'),
  play('webhooks.create.bad_url.422'),
  play('webhooks.create.unknown_event.422'),
  play('webhooks.create.no_subscriptions.200'),
  prepare(theatre =>
    theatre.call('ADMIN', 'POST', '/api/v1/accounts/1/webhooks', {
      webhook: { url: `${theatre.receiver.url}/wrapped`, subscriptions: ['message_created'] },
    }),
  ),
  play('webhooks.list.200'),
  play('webhooks.list.agent.401'),
  play('webhooks.update.200'),
  play('webhooks.delete.200'),
  play('upload.create.200'),
];
