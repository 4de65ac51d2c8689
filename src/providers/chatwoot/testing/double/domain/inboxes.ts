import { asBoolean, asObject, asText, has } from '../http/call';
import { refuse } from '../http/replies';
import { newToken } from '../tokens';
import type { Inbox, Json, WorkingHour } from '../model';
import type { World } from '../world';

function defaultHours(): WorkingHour[] {
  return [0, 1, 2, 3, 4, 5, 6].map(day => {
    const closed = day === 0 || day === 6;
    return {
      day_of_week: day,
      closed_all_day: closed,
      open_hour: closed ? null : 9,
      open_minutes: closed ? null : 0,
      close_hour: closed ? null : 17,
      close_minutes: closed ? null : 0,
      open_all_day: false,
    };
  });
}

export function createInbox(world: World, accountId: number, params: Json): Inbox {
  const channel = asObject(params['channel']);
  if (channel['type'] !== 'api') throw refuse.invalid('Channel must exist', ['channel']);
  const now = world.now();
  const inbox: Inbox = {
    id: 0,
    channelId: 0,
    accountId,
    name: '',
    createdAt: now,
    updatedAt: now,
    webhookUrl: null,
    identifier: newToken(),
    hmacToken: newToken(),
    hmacMandatory: false,
    secret: newToken(),
    channelAttributes: {},
    greetingEnabled: false,
    greetingMessage: null,
    workingHoursEnabled: false,
    outOfOfficeMessage: null,
    workingHours: defaultHours(),
    timezone: 'UTC',
    enableEmailCollect: true,
    csatSurveyEnabled: false,
    csatConfig: {},
    enableAutoAssignment: true,
    autoAssignmentConfig: {},
    allowMessagesAfterResolved: true,
    lockToSingleConversation: false,
    senderNameType: 'friendly',
    businessName: null,
    memberIds: [],
    agentBotId: null,
    turn: [],
  };
  changeInbox(world, inbox, params);
  if (!inbox.name) throw refuse.invalid("Name can't be blank", ['name']);
  inbox.id = world.store.inboxes.nextId();
  inbox.channelId = inbox.id;
  return world.store.inboxes.insert(inbox.id, inbox);
}

/**
 * Changes an inbox. Every key may be sent alone, also those of the channel. Any text is accepted as the webhook's
 * address.
 */
export function changeInbox(world: World, inbox: Inbox, params: Json): void {
  const text = (key: string, set: (value: string | null) => void) => has(params, key) && set(asText(params[key]));
  const flag = (key: string, set: (value: boolean) => void) => has(params, key) && set(asBoolean(params[key]));
  if (has(params, 'name') && !asText(params['name'])) throw refuse.invalid("Name can't be blank", ['name']);
  changeChannel(inbox, asObject(params['channel']));
  text('name', value => {
    inbox.name = value ?? '';
  });
  text('greeting_message', value => {
    inbox.greetingMessage = value;
  });
  text('out_of_office_message', value => {
    inbox.outOfOfficeMessage = value;
  });
  text('timezone', value => {
    inbox.timezone = value ?? 'UTC';
  });
  text('business_name', value => {
    inbox.businessName = value;
  });
  text('sender_name_type', value => {
    inbox.senderNameType = value ?? 'friendly';
  });
  flag('greeting_enabled', value => {
    inbox.greetingEnabled = value;
  });
  flag('working_hours_enabled', value => {
    inbox.workingHoursEnabled = value;
  });
  flag('enable_email_collect', value => {
    inbox.enableEmailCollect = value;
  });
  flag('csat_survey_enabled', value => {
    inbox.csatSurveyEnabled = value;
  });
  flag('enable_auto_assignment', value => {
    inbox.enableAutoAssignment = value;
  });
  flag('allow_messages_after_resolved', value => {
    inbox.allowMessagesAfterResolved = value;
  });
  flag('lock_to_single_conversation', value => {
    inbox.lockToSingleConversation = value;
  });
  if (has(params, 'csat_config')) inbox.csatConfig = asObject(params['csat_config']);
  if (has(params, 'auto_assignment_config')) inbox.autoAssignmentConfig = asObject(params['auto_assignment_config']);
  if (Array.isArray(params['working_hours'])) changeHours(inbox, params['working_hours'] as Json[]);
  inbox.updatedAt = world.now();
}

function changeChannel(inbox: Inbox, channel: Json): void {
  const url = asText(channel['webhook_url']);
  if (url && url.length > 2048)
    throw refuse.invalid('Webhook url is too long (maximum is 2048 characters)', ['webhook_url']);
  if (has(channel, 'webhook_url')) inbox.webhookUrl = url;
  if (has(channel, 'hmac_mandatory')) inbox.hmacMandatory = asBoolean(channel['hmac_mandatory']);
  if (has(channel, 'additional_attributes')) inbox.channelAttributes = asObject(channel['additional_attributes']);
}

/** Changes working hours. A day keeps the values that are not sent: closing it all day keeps its hours. */
function changeHours(inbox: Inbox, hours: Json[]): void {
  for (const change of hours) {
    const day = inbox.workingHours.find(one => one.day_of_week === Number(change['day_of_week']));
    if (!day) continue;
    for (const key of ['open_hour', 'open_minutes', 'close_hour', 'close_minutes'] as const) {
      if (has(change, key)) day[key] = change[key] === null ? null : Number(change[key]);
    }
    for (const key of ['closed_all_day', 'open_all_day'] as const)
      if (has(change, key)) day[key] = asBoolean(change[key]);
  }
}

/** Deletes an inbox's conversations at once, before the inbox itself. No webhook reports it. */
export function deleteConversationsOf({ store }: World, inbox: Inbox): void {
  for (const row of store.conversations.where(one => one.inboxId === inbox.id)) store.deleteConversation(row);
}

export function deleteInbox(world: World, inbox: Inbox): void {
  const { store } = world;
  deleteConversationsOf(world, inbox);
  for (const link of store.contactInboxes.where(one => one.inboxId === inbox.id)) store.contactInboxes.delete(link.id);
  store.inboxes.delete(inbox.id);
}

export function addMember(inbox: Inbox, userId: number): void {
  if (inbox.memberIds.includes(userId)) return;
  inbox.memberIds.push(userId);
  inbox.turn.push(userId);
}

export function removeMember(inbox: Inbox, userId: number): void {
  inbox.memberIds = inbox.memberIds.filter(id => id !== userId);
  inbox.turn = inbox.turn.filter(id => id !== userId);
}
