import { accountOf, asList, asObject, type Call } from '../http/call';
import { callingUser } from '../http/access';
import { json } from '../http/replies';
import { route, type Route } from '../http/router';
import { DEFAULT_FLAGS, EMAIL_FLAGS, PUSH_FLAGS } from '../domain/notifications';
import { sendingUser } from '../present/people';
import { conversationBody } from '../present/webhooks';
import { seconds } from '../present/times';
import type { Conversation, Json, Notification, NotificationSetting, User } from '../model';

const BASE = '/api/v1/accounts/:accountId';
const ANYONE = { area: 'account' } as const;

const TITLES: Record<Notification['type'], (id: number) => string> = {
  conversation_assignment: id => `A conversation (#${id}) has been assigned to you`,
  conversation_creation: id => `A conversation (#${id}) has been created`,
  assigned_conversation_new_message: id => `A new message is created in conversation (#${id})`,
};

const me = (call: Call): User => callingUser(call) as User;

function show(call: Call, row: Notification): Json {
  const { world } = call;
  const conversation = world.store.conversations.get(row.conversationRowId) as Conversation;
  const last = world.store.lastMessage(conversation, message => message.messageType !== 'activity');
  const contact = world.store.contacts.get(conversation.contactId);
  return {
    id: row.id,
    notification_type: row.type,
    push_message_title: TITLES[row.type](conversation.displayId),
    push_message_body: last ? `${contact?.name}: ${last.content}` : '',
    primary_actor_type: 'Conversation',
    primary_actor_id: conversation.rowId,
    primary_actor: conversationBody(world, conversation, row.accountId),
    read_at: null,
    secondary_actor: null,
    user: sendingUser(world, me(call), row.accountId),
    created_at: seconds(row.createdAt),
    last_activity_at: seconds(conversation.lastActivityAt),
    snoozed_until: null,
    meta: {},
  };
}

function settingOf(call: Call): NotificationSetting {
  const { store } = call.world;
  const accountId = accountOf(call).id;
  const known = store.notificationSettings.find(row => row.userId === me(call).id && row.accountId === accountId);
  if (known) return known;
  const id = store.notificationSettings.nextId();
  return store.notificationSettings.insert(id, {
    id,
    accountId,
    userId: me(call).id,
    email: [...DEFAULT_FLAGS.email],
    push: [...DEFAULT_FLAGS.push],
  });
}

const showSetting = (row: NotificationSetting): Json => ({
  id: row.id,
  user_id: row.userId,
  account_id: row.accountId,
  all_email_flags: EMAIL_FLAGS,
  selected_email_flags: row.email,
  all_push_flags: PUSH_FLAGS,
  selected_push_flags: row.push,
});

export const notificationRoutes: Route[] = [
  ...route('GET', `${BASE}/notifications`, ANYONE, call => {
    const { store } = call.world;
    const rows = store.notifications.where(
      row =>
        row.userId === me(call).id &&
        row.accountId === accountOf(call).id &&
        store.conversations.get(row.conversationRowId) !== undefined,
    );
    const newestFirst = rows.sort((a, b) => b.id - a.id).slice(0, 15);
    return json({
      data: {
        meta: { unread_count: rows.length, count: rows.length, current_page: 1 },
        payload: newestFirst.map(row => show(call, row)),
      },
    });
  }),
  ...route('GET', `${BASE}/notification_settings`, ANYONE, call => json(showSetting(settingOf(call)))),
  ...route('PATCH|PUT', `${BASE}/notification_settings`, ANYONE, call => {
    const row = settingOf(call);
    const wanted = asObject(call.params['notification_settings']);
    row.email = asList(wanted['selected_email_flags']).map(String);
    row.push = asList(wanted['selected_push_flags']).map(String);
    return json(showSetting(row));
  }),
];
