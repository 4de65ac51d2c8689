import type { Where } from './shared-replay';
import { each, type SharedReplayStep } from './shared-replay-step';
import { contactChanges, contacts, merging } from './script-both-contacts';

const agents: SharedReplayStep = async stage => {
  const elsewhere = { name: 'Zed', password: 'Passw0rd!x' };
  await each(stage, 'agents.create.', [
    'administrator_by_admin',
    'bad_role',
    'by_administrator',
    'by_agent',
    'by_bot',
    'same_mail_again',
    'invalid_tld',
    'no_name',
    'no_role',
  ]);
  await stage.play('platform.user.create.invalid_tld');
  await each(stage, 'agents.create.', ['exists_elsewhere', 'exists_elsewhere_case']);
  const email = { '4.10': 'otto-2mqi01@acceptance.example', '4.14': '' }[stage.version] || undefined;
  const otto = await stage.theatre.call('PLATFORM', 'POST', '/platform/api/v1/users', {
    ...elsewhere,
    name: 'Otto Other',
    email: email ?? 'otto-aaaaaa@acceptance.example',
  });
  await stage.theatre.call('PLATFORM', 'POST', '/platform/api/v1/accounts', { name: 'Other' });
  await stage.theatre.call('PLATFORM', 'POST', '/platform/api/v1/accounts/2/account_users', {
    user_id: otto.id,
    role: 'agent',
  });
  await stage.play('agents.create.member_of_another_account', { body: { email: otto.email } });
  // It is unknown which other users existed then.
  await stage.play('agents.list.availability', { ignore: [''] });
  await each(stage, 'platform.user.create.name_', ['255', '256', '5000', 'html', 'nul']);
};

const assignments: SharedReplayStep = async stage => {
  const conversation = await stage.conversation();
  const { ALICE, BOB, CAROL } = stage.people;
  const leaver = await stage.call('POST', '/agents', {
    name: 'Leaver',
    email: 'leaver-000000@acceptance.example',
    role: 'agent',
  });
  const gone = await stage.call('POST', '/teams', { team: { name: 'gone 000000', allow_auto_assign: false } });
  const at = (where: Where): Where => ({ conversation, ...where });
  await stage.play('assignments.team_then', at({ team: stage.team }));
  await stage.play('assignments.agent_after', at({ assignee: ALICE }));
  await stage.play('assignments.both_ids', at({ assignee: ALICE, team: stage.team }));
  await stage.play('assignments.agent_not_in_team', at({ assignee: CAROL }));
  await stage.play('assignments.agent_again', at({ assignee: ALICE }));
  await stage.play('assignments.by_bot_token', at({ assignee: BOB }));
  await stage.play('assignments.other_team', at({ team: gone.id }));
  await stage.call('DELETE', `/teams/${gone.id}`);
  await stage.play('assignments.deleted_team', at({ team: gone.id }));
  await stage.play('assignments.leaver', at({ assignee: leaver.id }));
  await stage.call('DELETE', `/agents/${leaver.id}`);
  await stage.play('assignments.removed_agent', at({ assignee: leaver.id }));
};

/** The agent bot's token: its permissions, and the 500 that hides a write once the conversation has a team. */
const botToken: SharedReplayStep = async stage => {
  const conversation = await stage.conversation();
  const at = { conversation, team: stage.team };
  await each(stage, 'bot_token.get.', ['conversation', 'messages', 'attachments', 'participants'], at);
  await each(stage, 'bot_token.post.', ['labels'], at);
  await each(stage, 'bot_token.get.', ['labels'], at);
  await each(
    stage,
    'bot_token.post.',
    [
      'messages',
      'toggle_priority',
      'toggle_status',
      'custom_attributes',
      'toggle_typing_status',
      'assignments',
      'mute',
      'unread',
      'update_last_seen',
      'transcript',
    ],
    at,
  );
  await each(stage, 'bot_token.', ['patch.conversation', 'delete.conversation'], at);
  // The recorded responses preceded the activity line.
  stage.double.setActivityDelay(1);
  const fresh = async (name: string, prepare: (id: number) => Promise<unknown> = async () => undefined) => {
    const id = await stage.conversation();
    await prepare(id);
    await stage.settled();
    // A job writes the activity line, so the recorded responses may or may not contain it.
    await stage.play(`bot_token.patch.${name}`, {
      conversation: id,
      ignore: ['messages', 'last_activity_at', 'timestamp'],
    });
  };
  await fresh('conversation_again');
  await fresh('fresh');
  await fresh('bot_message', id => stage.say(id, 'x', {}, 'AGENT_BOT'));
  await fresh('note', id => stage.say(id, 'x', { private: true }, 'AGENT_BOT'));
  await fresh('team', id =>
    stage.call('POST', `/conversations/${id}/assignments`, { team_id: stage.team }, 'AGENT_BOT'),
  );
  await fresh('assignee', id =>
    stage.call('POST', `/conversations/${id}/assignments`, { assignee_id: stage.people.BOB }, 'AGENT_BOT'),
  );
  await fresh('incoming', id => stage.say(id, 'x', { message_type: 'incoming' }, 'AGENT_BOT'));
  await fresh('priority', id =>
    stage.call('POST', `/conversations/${id}/toggle_priority`, { priority: 'high' }, 'AGENT_BOT'),
  );
  await fresh('pending', id =>
    stage.call('POST', `/conversations/${id}/toggle_status`, { status: 'pending' }, 'AGENT_BOT'),
  );
  const teamed = await stage.conversation();
  await stage.call('POST', `/conversations/${teamed}/assignments`, { team_id: stage.team });
  await each(stage, 'bot_token.team_set.', ['get.conversation', 'patch.conversation'], { conversation: teamed });
  const visitor = await stage.contact();
  await stage.play('bot_token.team_set.conversations.create', {
    contact: visitor.id,
    sourceId: visitor.sourceId,
    inbox: stage.inbox,
    team: stage.team,
  });
  const locked = await stage.contact({}, stage.locked);
  const first = await stage.call('POST', '/conversations', {
    inbox_id: stage.locked,
    contact_id: locked.id,
    source_id: locked.sourceId,
  });
  await stage.call('POST', `/conversations/${first.id}/assignments`, { team_id: stage.team });
  await stage.play('bot_token.team_set.conversations.create_locked', {
    contact: locked.id,
    sourceId: locked.sourceId,
    inbox: stage.locked,
  });
};

const attributes: SharedReplayStep = async stage => {
  const conversation = await stage.conversation();
  const at = { conversation };
  await each(stage, 'conversations.labels.create.', ['undefined', 'empty', 'bot_token'], at);
  await each(stage, 'labels.create.', ['topic', 'bad_title']);
  await each(stage, 'conversations.custom_attributes.', ['undefined', 'bot_token', 'text_1499', 'text_1500'], at);
  await each(stage, 'custom_attribute_definitions.create.', ['text', 'list', 'link', 'checkbox', 'again']);
  await each(
    stage,
    'conversations.toggle_priority.',
    ['urgent', 'null', 'high', 'empty', 'low', 'none', 'none_word'],
    at,
  );
  await stage.play('conversations.update.priority_null', {
    conversation: await stage.conversation(),
    ignore: ['messages', 'last_non_activity_message', 'meta.sender.last_activity_at', 'unread_count'],
  });
};

const automations: SharedReplayStep = async stage => {
  const { BOB } = stage.people;
  await stage.play('automation_rules.create.send_message');
  await stage.play('automation_rules.create.resolve');
  const named = { assign_team: stage.team, assign_agent: BOB };
  await stage.play('automation_rules.create.team_label', {
    ignore: ['actions[0].action_params[0]', 'actions[2].action_params[0]'],
    body: {
      actions: [
        { action_name: 'assign_team', action_params: [named.assign_team] },
        { action_name: 'add_label', action_params: ['auto-label'] },
        { action_name: 'assign_agent', action_params: [named.assign_agent] },
        { action_name: 'change_priority', action_params: ['high'] },
        { action_name: 'add_private_note', action_params: ['automatic note'] },
      ],
    },
  });
  await stage.play('automation_rules.create.webhook');
  for (const [name, words] of [
    ['autosend', 'AUTOSEND'],
    ['autoresolve', 'AUTORESOLVE'],
    ['autoteam', 'AUTOTEAM'],
  ] as const) {
    const conversation = await stage.conversation();
    await stage.say(conversation, words, { message_type: 'incoming' });
    await stage.settled();
    // Two jobs at once, in either order.
    await stage.play(`messages.list.${name}`, {
      conversation,
      ...(name === 'autoteam' && { ignore: ['payload[4]', 'payload[5]'] }),
    });
  }
  await stage.play('macros.create', {
    ignore: ['payload.actions[2].action_params[0]'],
    body: {
      actions: [
        { action_name: 'send_message', action_params: ['macro words'] },
        { action_name: 'add_private_note', action_params: ['macro note'] },
        { action_name: 'assign_team', action_params: [stage.team] },
        { action_name: 'resolve_conversation', action_params: [] },
      ],
    },
  });
  const conversation = await stage.conversation();
  await stage.play('macros.execute', { path: '/macros/1/execute', body: { conversation_ids: [conversation] } });
  await stage.settled();
  await stage.play('messages.create.other_bot', { conversation: await stage.conversation() });
};

const files: SharedReplayStep = async stage => {
  const conversation = await stage.conversation();
  await each(stage, 'messages.create.attachment_', ['a.txt', 'b.png', 'c.bin'], { conversation });
  const poisoned = await stage.conversation();
  // The recorded response quotes an object of the server with its memory address.
  await stage.play('messages.create.blank_file_name', { conversation: poisoned, ignore: ['error'] });
  await stage.play('messages.list.blank_file_name', { conversation: poisoned });
  await stage.play('conversations.get.blank_file_name', { conversation: poisoned });
  await stage.play('conversations.list.blank_file_name');
};

const interactive: SharedReplayStep = async stage => {
  const inbox = await stage.newInbox('Public');
  stage.theatre.replacements.set('<INBOX_IDENTIFIER>', inbox.inbox_identifier);
  const visitor = await stage.contact({}, inbox.id);
  const { id: conversation } = await stage.call('POST', '/conversations', {
    inbox_id: inbox.id,
    contact_id: visitor.id,
    source_id: visitor.sourceId,
  });
  const { id: select } = await stage.play('messages.create.bot_input_select', { conversation });
  await each(stage, 'messages.create.bot_', ['cards', 'form', 'article', 'input_email', 'input_text', 'input_csat'], {
    conversation,
  });
  const at = `/public/api/v1/inboxes/${inbox.inbox_identifier}/contacts/${visitor.sourceId}/conversations`;
  for (const [source] of [['5615c90a-ebf0-423d-9fd3-94b875263242'], ['9af455a6-9b7b-4ff4-b340-81d63bacbc67']] as const)
    stage.theatre.replacements.set(source, visitor.sourceId);
  await stage.playAt('public.messages.update.submitted_values', `${at}/${conversation}/messages/${select}`);
  await stage.playAt('public.conversations.create.custom_attributes', at);
};

const messages: SharedReplayStep = async stage => {
  const conversation = await stage.conversation();
  const at = { conversation };
  const original = await stage.say(conversation, 'original', { message_type: 'incoming', source_id: 'ext-1' });
  await each(
    stage,
    'messages.create.multipart.',
    ['nested', 'json_string', 'file_marker', 'private_true', 'private_false', 'reply_external'],
    at,
  );
  const reply = (in_reply_to: unknown) => ({ ...at, body: { content_attributes: { in_reply_to } } });
  await stage.play('messages.create.multipart.reply_string', {
    ...at,
    body: {
      multipart: [
        { name: 'content', value: 'x' },
        { name: 'message_type', value: 'incoming' },
        { name: 'content_attributes[in_reply_to]', value: String(original) },
      ],
    },
  });
  await stage.play('messages.create.in_reply_to.number', reply(original));
  await stage.play('messages.create.in_reply_to.string', reply(String(original)));
  await each(stage, 'messages.create.in_reply_to.', ['external', 'null', 'text', 'unknown'], at);
  await each(stage, 'messages.create.external_created_at.', ['number_10', 'number_13', 'string_10', 'string_20'], at);
  const liquid = { conversation: await stage.conversation() };
  await each(
    stage,
    'messages.create.liquid_',
    [
      'bot',
      'bot_note',
      'closed_bot',
      'closed_bot_note',
      'closed_incoming',
      'closed_note',
      'closed_user',
      'incoming',
      'note',
      'user',
    ],
    liquid,
  );
  const tried = await stage.conversation();
  const message = await stage.say(tried, 'x', { source_id: 'r-1', content_attributes: { marker: 'M' } }, 'AGENT_BOT');
  await stage.call('PATCH', `/conversations/${tried}/messages/${message}`, {
    status: 'failed',
    external_error: 'late',
  });
  await stage.play('messages.retry.marker', { conversation: tried, message });
};

/** A deleted message keeps `source_id`, sender, kind and visibility. The agent bot's token may delete nothing. */
const deletions: SharedReplayStep = async stage => {
  const conversation = await stage.conversation();
  const post = (source: string, more: object, who: string) =>
    stage.say(conversation, 'x', { source_id: `src-${source}`, content_attributes: { marker: 'M' }, ...more }, who);
  const rows = {
    bot: await post('aaaaa1', {}, 'AGENT_BOT'),
    bot_note: await post('aaaaa2', { private: true }, 'AGENT_BOT'),
    user: await post('aaaaa3', {}, 'ALICE'),
    user_note: await post('aaaaa4', { private: true }, 'ALICE'),
    incoming: await post('aaaaa5', { message_type: 'incoming' }, 'BOT'),
    as_bot: await post('aaaaa6', { sender_type: 'AgentBot', sender_id: stage.bot }, 'BOT'),
    bot_select: await post(
      'aaaaa7',
      { content_type: 'input_select', content_attributes: { items: [{ title: 'A', value: 'a' }], marker: 'M' } },
      'AGENT_BOT',
    ),
  };
  for (const [name, message] of Object.entries(rows))
    await stage.play(`messages.delete.${name}`, { conversation, message });
  await stage.play('messages.list.after_delete', { conversation });
  const [theirs, own] = [await stage.say(conversation, 'x'), await stage.say(conversation, 'x', {}, 'AGENT_BOT')];
  await stage.play('messages.delete.by_bot_token', { conversation, message: theirs });
  await stage.play('messages.delete.own_by_bot_token', { conversation, message: own });
  await stage.play('messages.delete.bot_post_by_agent', { conversation, message: own });
};

const marks: SharedReplayStep = async stage => {
  const conversation = await stage.conversation();
  const incoming = await stage.say(conversation, 'incoming', { message_type: 'incoming' });
  const rows = {
    incoming,
    note: await stage.say(conversation, 'note', { private: true }, 'ALICE'),
    outgoing: await stage.say(conversation, 'outgoing', {}, 'ALICE'),
    bot: await stage.say(conversation, 'bot', {}, 'AGENT_BOT'),
    template: await stage.say(conversation, 'template', { message_type: 'template' }),
  };
  // Their contents differed between the servers; the effects on their state are the same.
  for (const [name, message] of Object.entries(rows))
    await each(stage, `messages.update.${name}.`, ['failed', 'sent', 'read', 'delivered'], {
      conversation,
      message,
      ignore: ['content', 'source_id'],
    });
};

/** Sorted lists of many rows. Compares what they have in common; order, pages and counts have tests of their own. */
const lists: SharedReplayStep = async stage => {
  const { team } = stage;
  for (let count = 0; count < 2; count++) {
    const id = await stage.conversation();
    await stage.call('POST', `/conversations/${id}/assignments`, { team_id: team });
  }
  const rows = [
    'data.payload',
    'data.meta.mine_count',
    'data.meta.assigned_count',
    'data.meta.unassigned_count',
    'data.meta.all_count',
  ];
  const counts = ['meta.mine_count', 'meta.assigned_count', 'meta.unassigned_count', 'meta.all_count'];
  await each(
    stage,
    'conversations.list..',
    [
      'team_id.',
      'team_id.assignee_type.me',
      'team_id.assignee_type.unassigned',
      'team_id.assignee_type.unassigned.status.open.sort_by.waitin',
    ],
    { team, ignore: rows },
  );
  await stage.playFile('conversations.list..team_id..404.json');
  await each(stage, 'conversations.list..', ['inbox_id.']);
  await each(stage, 'conversations.list..meta.', ['team_id.', 'team_id.status.all', 'team_id.status.open'], {
    team,
    ignore: counts,
  });
  await stage.play('conversations.list..meta.inbox_id.status.open', { inbox: stage.inbox, ignore: counts });
  const within = 'conversations.list.updated_within_600';
  for (const name of [
    '',
    '_assignee_type_assigned',
    '_page_2',
    '_page_3_status_all',
    '_sort_by_created_at_asc',
    '_status_all',
  ])
    await stage.play(`${within}${name}`, { ignore: rows });
  await stage.play(`${within}_status_open_inbox_id_${{ '4.10': 40, '4.14': 13 }[stage.version]}`, {
    inbox: stage.inbox,
    ignore: rows,
  });
};

const settings: SharedReplayStep = async stage => {
  await stage.play('inbox_members.list.presence', { inbox: stage.inbox });
  const clearing = await stage.call('POST', '/inboxes', { name: 'Clearing', channel: { type: 'api' } });
  await each(stage, 'inboxes.update.webhook_url_', ['set', 'null', 'set2', 'empty', 'blank'], { inbox: clearing.id });
  const hours = await stage.call('POST', '/inboxes', { name: 'Hours', channel: { type: 'api', webhook_url: '' } });
  await stage.play('inboxes.update.hours', { inbox: hours.id });
  stage.theatre.replacements.set('<INBOX_IDENTIFIER>', hours.inbox_identifier);
  await stage.play('public.inbox.get.hours');
  const { payload } = await stage.call('POST', '/webhooks', {
    url: `${stage.theatre.receiver.url}/many/0`,
    subscriptions: ['message_created'],
  });
  await stage.play('webhooks.update.url', { path: `/webhooks/${payload.webhook.id}` });
};

const notifications: SharedReplayStep = async stage => {
  const { ALICE } = stage.people;
  await stage.play('notification_settings.get');
  const assigned = async (name: string) => {
    const conversation = await stage.conversation();
    await stage.say(conversation, 'hi', { message_type: 'incoming' });
    await stage.call('POST', `/conversations/${conversation}/assignments`, { team_id: stage.team });
    await stage.call('POST', `/conversations/${conversation}/assignments`, { assignee_id: ALICE });
    await stage.play(`notifications.list.${name}`, {
      ignore: ['data.payload[0].primary_actor', 'data.payload[0].push_message_title'],
    });
    stage.double.clearNotifications();
  };
  await assigned('assigned_default');
  await stage.play('notification_settings.update');
  stage.double.clearNotifications();
  const conversation = await stage.conversation();
  stage.double.clearNotifications();
  await stage.say(conversation, 'hi', { message_type: 'incoming' });
  await stage.call('POST', `/conversations/${conversation}/assignments`, { assignee_id: ALICE });
  await stage.play('notifications.list.assigned_all', {
    ignore: ['data.payload[0].primary_actor', 'data.payload[0].push_message_title'],
  });
};

const deletedAccount: SharedReplayStep = async stage => {
  const { theatre } = stage;
  const made = await theatre.call('PLATFORM', 'POST', '/platform/api/v1/accounts', { name: 'Gone' });
  const user = await theatre.call('PLATFORM', 'POST', '/platform/api/v1/users', {
    name: 'Gone',
    email: 'gone-000000@acceptance.example',
    password: 'Passw0rd!x',
  });
  await theatre.call('PLATFORM', 'POST', `/platform/api/v1/accounts/${made.id}/account_users`, {
    user_id: user.id,
    role: 'administrator',
  });
  theatre.replacements.set('<USER_TOKEN>', user.access_token);
  const bot = await theatre.call('USER', 'POST', `/api/v1/accounts/${made.id}/agent_bots`, { name: 'Gone bot' });
  await theatre.call('PLATFORM', 'DELETE', `/platform/api/v1/accounts/${made.id}`);
  await stage.settled();
  theatre.replacements.set('<AGENT_BOT_TOKEN>', bot.access_token);
  await stage.playAt('auth.account_deleted.user', `/api/v1/accounts/${made.id}/inboxes`);
  await stage.playAt('auth.account_deleted.bot', `/api/v1/accounts/${made.id}/conversations/1/messages`);
};

export const BOTH_ACTS: Readonly<Record<string, SharedReplayStep>> = {
  agents,
  assignments,
  "an agent bot's token": botToken,
  contacts,
  'changes of contacts': contactChanges,
  'merged contacts': merging,
  'labels, attributes, priority': attributes,
  'automation rules and macros': automations,
  files,
  'interactive posts': interactive,
  messages,
  deletions,
  'delivery marks': marks,
  lists,
  settings,
  notifications,
  'a deleted account': deletedAccount,
};

/** Calls that this service never makes and does not depend on: reports and assignment policies. */
export const NOT_IN_THE_DOUBLE: readonly string[] = [
  'assignment_policies.create.200',
  'assignment_policy.agent_capacity_policiesget.200',
  'assignment_policy.assignment_policiesget.200',
  'assignment_policy.inboxes.assignment_policyget.404',
  'assignment_policy.inboxes.inbox_limitsget.404',
  'inboxes.assignment_policy.create.200',
  'live_reports.conversation_metrics.200',
  'live_reports.grouped.200',
  'reports.bot_summary.200',
  'reports.conversations.200',
  'reports.metricavg_first_response_time.200',
  'reports.metricreply_time.200',
  'reports.summary.200',
].map(name => `${name}.json`);
