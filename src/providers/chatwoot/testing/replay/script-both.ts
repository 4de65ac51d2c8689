import type { Where } from './shared-replay';
import { each, type SharedReplayStep } from './shared-replay-step';
import { contactChanges, contacts, merging } from './script-both-contacts';

const agents: SharedReplayStep = async replay => {
  const elsewhere = { name: 'Zed', password: 'Passw0rd!x' };
  await each(replay, 'agents.create.', [
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
  await replay.play('platform.user.create.invalid_tld');
  await each(replay, 'agents.create.', ['exists_elsewhere', 'exists_elsewhere_case']);
  const email = { '4.10': 'otto-2mqi01@acceptance.example', '4.14': '' }[replay.version] || undefined;
  const otto = await replay.theatre.call('PLATFORM', 'POST', '/platform/api/v1/users', {
    ...elsewhere,
    name: 'Otto Other',
    email: email ?? 'otto-aaaaaa@acceptance.example',
  });
  await replay.theatre.call('PLATFORM', 'POST', '/platform/api/v1/accounts', { name: 'Other' });
  await replay.theatre.call('PLATFORM', 'POST', '/platform/api/v1/accounts/2/account_users', {
    user_id: otto.id,
    role: 'agent',
  });
  await replay.play('agents.create.member_of_another_account', { body: { email: otto.email } });
  // It is unknown which other users existed then.
  await replay.play('agents.list.availability', { ignore: [''] });
  await each(replay, 'platform.user.create.name_', ['255', '256', '5000', 'html', 'nul']);
};

const assignments: SharedReplayStep = async replay => {
  const conversation = await replay.conversation();
  const { ALICE, BOB, CAROL } = replay.people;
  const leaver = await replay.call('POST', '/agents', {
    name: 'Leaver',
    email: 'leaver-000000@acceptance.example',
    role: 'agent',
  });
  const gone = await replay.call('POST', '/teams', { team: { name: 'gone 000000', allow_auto_assign: false } });
  const at = (where: Where): Where => ({ conversation, ...where });
  await replay.play('assignments.team_then', at({ team: replay.team }));
  await replay.play('assignments.agent_after', at({ assignee: ALICE }));
  await replay.play('assignments.both_ids', at({ assignee: ALICE, team: replay.team }));
  await replay.play('assignments.agent_not_in_team', at({ assignee: CAROL }));
  await replay.play('assignments.agent_again', at({ assignee: ALICE }));
  await replay.play('assignments.by_bot_token', at({ assignee: BOB }));
  await replay.play('assignments.other_team', at({ team: gone.id }));
  await replay.call('DELETE', `/teams/${gone.id}`);
  await replay.play('assignments.deleted_team', at({ team: gone.id }));
  await replay.play('assignments.leaver', at({ assignee: leaver.id }));
  await replay.call('DELETE', `/agents/${leaver.id}`);
  await replay.play('assignments.removed_agent', at({ assignee: leaver.id }));
};

/** The agent bot's token: its permissions, and the 500 that hides a write once the conversation has a team. */
const botToken: SharedReplayStep = async replay => {
  const conversation = await replay.conversation();
  const at = { conversation, team: replay.team };
  await each(replay, 'bot_token.get.', ['conversation', 'messages', 'attachments', 'participants'], at);
  await each(replay, 'bot_token.post.', ['labels'], at);
  await each(replay, 'bot_token.get.', ['labels'], at);
  await each(
    replay,
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
  await each(replay, 'bot_token.', ['patch.conversation', 'delete.conversation'], at);
  // The recorded responses preceded the activity line.
  replay.double.setActivityDelay(1);
  const fresh = async (name: string, prepare: (id: number) => Promise<unknown> = async () => undefined) => {
    const id = await replay.conversation();
    await prepare(id);
    await replay.whenIdle();
    // A job writes the activity line, so the recorded responses may or may not contain it.
    await replay.play(`bot_token.patch.${name}`, {
      conversation: id,
      ignore: ['messages', 'last_activity_at', 'timestamp'],
    });
  };
  await fresh('conversation_again');
  await fresh('fresh');
  await fresh('bot_message', id => replay.say(id, 'x', {}, 'AGENT_BOT'));
  await fresh('note', id => replay.say(id, 'x', { private: true }, 'AGENT_BOT'));
  await fresh('team', id =>
    replay.call('POST', `/conversations/${id}/assignments`, { team_id: replay.team }, 'AGENT_BOT'),
  );
  await fresh('assignee', id =>
    replay.call('POST', `/conversations/${id}/assignments`, { assignee_id: replay.people.BOB }, 'AGENT_BOT'),
  );
  await fresh('incoming', id => replay.say(id, 'x', { message_type: 'incoming' }, 'AGENT_BOT'));
  await fresh('priority', id =>
    replay.call('POST', `/conversations/${id}/toggle_priority`, { priority: 'high' }, 'AGENT_BOT'),
  );
  await fresh('pending', id =>
    replay.call('POST', `/conversations/${id}/toggle_status`, { status: 'pending' }, 'AGENT_BOT'),
  );
  const teamed = await replay.conversation();
  await replay.call('POST', `/conversations/${teamed}/assignments`, { team_id: replay.team });
  await each(replay, 'bot_token.team_set.', ['get.conversation', 'patch.conversation'], { conversation: teamed });
  const visitor = await replay.contact();
  await replay.play('bot_token.team_set.conversations.create', {
    contact: visitor.id,
    sourceId: visitor.sourceId,
    inbox: replay.inbox,
    team: replay.team,
  });
  const locked = await replay.contact({}, replay.locked);
  const first = await replay.call('POST', '/conversations', {
    inbox_id: replay.locked,
    contact_id: locked.id,
    source_id: locked.sourceId,
  });
  await replay.call('POST', `/conversations/${first.id}/assignments`, { team_id: replay.team });
  await replay.play('bot_token.team_set.conversations.create_locked', {
    contact: locked.id,
    sourceId: locked.sourceId,
    inbox: replay.locked,
  });
};

const attributes: SharedReplayStep = async replay => {
  const conversation = await replay.conversation();
  const at = { conversation };
  await each(replay, 'conversations.labels.create.', ['undefined', 'empty', 'bot_token'], at);
  await each(replay, 'labels.create.', ['topic', 'bad_title']);
  await each(replay, 'conversations.custom_attributes.', ['undefined', 'bot_token', 'text_1499', 'text_1500'], at);
  await each(replay, 'custom_attribute_definitions.create.', ['text', 'list', 'link', 'checkbox', 'again']);
  await each(
    replay,
    'conversations.toggle_priority.',
    ['urgent', 'null', 'high', 'empty', 'low', 'none', 'none_word'],
    at,
  );
  await replay.play('conversations.update.priority_null', {
    conversation: await replay.conversation(),
    ignore: ['messages', 'last_non_activity_message', 'meta.sender.last_activity_at', 'unread_count'],
  });
};

const automations: SharedReplayStep = async replay => {
  const { BOB } = replay.people;
  await replay.play('automation_rules.create.send_message');
  await replay.play('automation_rules.create.resolve');
  const named = { assign_team: replay.team, assign_agent: BOB };
  await replay.play('automation_rules.create.team_label', {
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
  await replay.play('automation_rules.create.webhook');
  for (const [name, words] of [
    ['autosend', 'AUTOSEND'],
    ['autoresolve', 'AUTORESOLVE'],
    ['autoteam', 'AUTOTEAM'],
  ] as const) {
    const conversation = await replay.conversation();
    await replay.say(conversation, words, { message_type: 'incoming' });
    await replay.whenIdle();
    // Two jobs at once, in either order.
    await replay.play(`messages.list.${name}`, {
      conversation,
      ...(name === 'autoteam' && { ignore: ['payload[4]', 'payload[5]'] }),
    });
  }
  await replay.play('macros.create', {
    ignore: ['payload.actions[2].action_params[0]'],
    body: {
      actions: [
        { action_name: 'send_message', action_params: ['macro words'] },
        { action_name: 'add_private_note', action_params: ['macro note'] },
        { action_name: 'assign_team', action_params: [replay.team] },
        { action_name: 'resolve_conversation', action_params: [] },
      ],
    },
  });
  const conversation = await replay.conversation();
  await replay.play('macros.execute', { path: '/macros/1/execute', body: { conversation_ids: [conversation] } });
  await replay.whenIdle();
  await replay.play('messages.create.other_bot', { conversation: await replay.conversation() });
};

const files: SharedReplayStep = async replay => {
  const conversation = await replay.conversation();
  await each(replay, 'messages.create.attachment_', ['a.txt', 'b.png', 'c.bin'], { conversation });
  const poisoned = await replay.conversation();
  // The recorded response quotes an object of the server with its memory address.
  await replay.play('messages.create.blank_file_name', { conversation: poisoned, ignore: ['error'] });
  await replay.play('messages.list.blank_file_name', { conversation: poisoned });
  await replay.play('conversations.get.blank_file_name', { conversation: poisoned });
  await replay.play('conversations.list.blank_file_name');
};

const interactive: SharedReplayStep = async replay => {
  const inbox = await replay.newInbox('Public');
  replay.theatre.replacements.set('<INBOX_IDENTIFIER>', inbox.inbox_identifier);
  const visitor = await replay.contact({}, inbox.id);
  const { id: conversation } = await replay.call('POST', '/conversations', {
    inbox_id: inbox.id,
    contact_id: visitor.id,
    source_id: visitor.sourceId,
  });
  const { id: select } = await replay.play('messages.create.bot_input_select', { conversation });
  await each(replay, 'messages.create.bot_', ['cards', 'form', 'article', 'input_email', 'input_text', 'input_csat'], {
    conversation,
  });
  const at = `/public/api/v1/inboxes/${inbox.inbox_identifier}/contacts/${visitor.sourceId}/conversations`;
  for (const [source] of [['5615c90a-ebf0-423d-9fd3-94b875263242'], ['9af455a6-9b7b-4ff4-b340-81d63bacbc67']] as const)
    replay.theatre.replacements.set(source, visitor.sourceId);
  await replay.playAt('public.messages.update.submitted_values', `${at}/${conversation}/messages/${select}`);
  await replay.playAt('public.conversations.create.custom_attributes', at);
};

const messages: SharedReplayStep = async replay => {
  const conversation = await replay.conversation();
  const at = { conversation };
  const original = await replay.say(conversation, 'original', { message_type: 'incoming', source_id: 'ext-1' });
  await each(
    replay,
    'messages.create.multipart.',
    ['nested', 'json_string', 'file_marker', 'private_true', 'private_false', 'reply_external'],
    at,
  );
  const reply = (in_reply_to: unknown) => ({ ...at, body: { content_attributes: { in_reply_to } } });
  await replay.play('messages.create.multipart.reply_string', {
    ...at,
    body: {
      multipart: [
        { name: 'content', value: 'x' },
        { name: 'message_type', value: 'incoming' },
        { name: 'content_attributes[in_reply_to]', value: String(original) },
      ],
    },
  });
  await replay.play('messages.create.in_reply_to.number', reply(original));
  await replay.play('messages.create.in_reply_to.string', reply(String(original)));
  await each(replay, 'messages.create.in_reply_to.', ['external', 'null', 'text', 'unknown'], at);
  await each(replay, 'messages.create.external_created_at.', ['number_10', 'number_13', 'string_10', 'string_20'], at);
  const liquid = { conversation: await replay.conversation() };
  await each(
    replay,
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
  const tried = await replay.conversation();
  const message = await replay.say(tried, 'x', { source_id: 'r-1', content_attributes: { marker: 'M' } }, 'AGENT_BOT');
  await replay.call('PATCH', `/conversations/${tried}/messages/${message}`, {
    status: 'failed',
    external_error: 'late',
  });
  await replay.play('messages.retry.marker', { conversation: tried, message });
};

/** A deleted message keeps `source_id`, sender, kind and visibility. The agent bot's token may delete nothing. */
const deletions: SharedReplayStep = async replay => {
  const conversation = await replay.conversation();
  const post = (source: string, more: object, who: string) =>
    replay.say(conversation, 'x', { source_id: `src-${source}`, content_attributes: { marker: 'M' }, ...more }, who);
  const rows = {
    bot: await post('aaaaa1', {}, 'AGENT_BOT'),
    bot_note: await post('aaaaa2', { private: true }, 'AGENT_BOT'),
    user: await post('aaaaa3', {}, 'ALICE'),
    user_note: await post('aaaaa4', { private: true }, 'ALICE'),
    incoming: await post('aaaaa5', { message_type: 'incoming' }, 'BOT'),
    as_bot: await post('aaaaa6', { sender_type: 'AgentBot', sender_id: replay.bot }, 'BOT'),
    bot_select: await post(
      'aaaaa7',
      { content_type: 'input_select', content_attributes: { items: [{ title: 'A', value: 'a' }], marker: 'M' } },
      'AGENT_BOT',
    ),
  };
  for (const [name, message] of Object.entries(rows))
    await replay.play(`messages.delete.${name}`, { conversation, message });
  await replay.play('messages.list.after_delete', { conversation });
  const [theirs, own] = [await replay.say(conversation, 'x'), await replay.say(conversation, 'x', {}, 'AGENT_BOT')];
  await replay.play('messages.delete.by_bot_token', { conversation, message: theirs });
  await replay.play('messages.delete.own_by_bot_token', { conversation, message: own });
  await replay.play('messages.delete.bot_post_by_agent', { conversation, message: own });
};

const marks: SharedReplayStep = async replay => {
  const conversation = await replay.conversation();
  const incoming = await replay.say(conversation, 'incoming', { message_type: 'incoming' });
  const rows = {
    incoming,
    note: await replay.say(conversation, 'note', { private: true }, 'ALICE'),
    outgoing: await replay.say(conversation, 'outgoing', {}, 'ALICE'),
    bot: await replay.say(conversation, 'bot', {}, 'AGENT_BOT'),
    template: await replay.say(conversation, 'template', { message_type: 'template' }),
  };
  // Their contents differed between the servers; the effects on their state are the same.
  for (const [name, message] of Object.entries(rows))
    await each(replay, `messages.update.${name}.`, ['failed', 'sent', 'read', 'delivered'], {
      conversation,
      message,
      ignore: ['content', 'source_id'],
    });
};

/** Sorted lists of many rows. Compares what they have in common; order, pages and counts have tests of their own. */
const lists: SharedReplayStep = async replay => {
  const { team } = replay;
  for (let count = 0; count < 2; count++) {
    const id = await replay.conversation();
    await replay.call('POST', `/conversations/${id}/assignments`, { team_id: team });
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
    replay,
    'conversations.list..',
    [
      'team_id.',
      'team_id.assignee_type.me',
      'team_id.assignee_type.unassigned',
      'team_id.assignee_type.unassigned.status.open.sort_by.waitin',
    ],
    { team, ignore: rows },
  );
  await replay.playFile('conversations.list..team_id..404.json');
  await each(replay, 'conversations.list..', ['inbox_id.']);
  await each(replay, 'conversations.list..meta.', ['team_id.', 'team_id.status.all', 'team_id.status.open'], {
    team,
    ignore: counts,
  });
  await replay.play('conversations.list..meta.inbox_id.status.open', { inbox: replay.inbox, ignore: counts });
  const within = 'conversations.list.updated_within_600';
  for (const name of [
    '',
    '_assignee_type_assigned',
    '_page_2',
    '_page_3_status_all',
    '_sort_by_created_at_asc',
    '_status_all',
  ])
    await replay.play(`${within}${name}`, { ignore: rows });
  await replay.play(`${within}_status_open_inbox_id_${{ '4.10': 40, '4.14': 13 }[replay.version]}`, {
    inbox: replay.inbox,
    ignore: rows,
  });
};

const settings: SharedReplayStep = async replay => {
  await replay.play('inbox_members.list.presence', { inbox: replay.inbox });
  const clearing = await replay.call('POST', '/inboxes', { name: 'Clearing', channel: { type: 'api' } });
  await each(replay, 'inboxes.update.webhook_url_', ['set', 'null', 'set2', 'empty', 'blank'], { inbox: clearing.id });
  const hours = await replay.call('POST', '/inboxes', { name: 'Hours', channel: { type: 'api', webhook_url: '' } });
  await replay.play('inboxes.update.hours', { inbox: hours.id });
  replay.theatre.replacements.set('<INBOX_IDENTIFIER>', hours.inbox_identifier);
  await replay.play('public.inbox.get.hours');
  const { payload } = await replay.call('POST', '/webhooks', {
    url: `${replay.theatre.receiver.url}/many/0`,
    subscriptions: ['message_created'],
  });
  await replay.play('webhooks.update.url', { path: `/webhooks/${payload.webhook.id}` });
};

const notifications: SharedReplayStep = async replay => {
  const { ALICE } = replay.people;
  await replay.play('notification_settings.get');
  const assigned = async (name: string) => {
    const conversation = await replay.conversation();
    await replay.say(conversation, 'hi', { message_type: 'incoming' });
    await replay.call('POST', `/conversations/${conversation}/assignments`, { team_id: replay.team });
    await replay.call('POST', `/conversations/${conversation}/assignments`, { assignee_id: ALICE });
    await replay.play(`notifications.list.${name}`, {
      ignore: ['data.payload[0].primary_actor', 'data.payload[0].push_message_title'],
    });
    replay.double.clearNotifications();
  };
  await assigned('assigned_default');
  await replay.play('notification_settings.update');
  replay.double.clearNotifications();
  const conversation = await replay.conversation();
  replay.double.clearNotifications();
  await replay.say(conversation, 'hi', { message_type: 'incoming' });
  await replay.call('POST', `/conversations/${conversation}/assignments`, { assignee_id: ALICE });
  await replay.play('notifications.list.assigned_all', {
    ignore: ['data.payload[0].primary_actor', 'data.payload[0].push_message_title'],
  });
};

const deletedAccount: SharedReplayStep = async replay => {
  const { theatre } = replay;
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
  await replay.whenIdle();
  theatre.replacements.set('<AGENT_BOT_TOKEN>', bot.access_token);
  await replay.playAt('auth.account_deleted.user', `/api/v1/accounts/${made.id}/inboxes`);
  await replay.playAt('auth.account_deleted.bot', `/api/v1/accounts/${made.id}/conversations/1/messages`);
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
