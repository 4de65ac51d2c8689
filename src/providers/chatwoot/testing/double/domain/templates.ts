import type { Conversation, Inbox, Json, Message, WorkingHour } from '../model';
import type { World } from '../world';

/** Returns an inbox's automatic replies to a visitor's message: the out-of-office message or the greeting. */
export function templatesFor(world: World, conversation: Conversation, message: Message): string[] {
  const inbox = world.store.inboxes.get(conversation.inboxId);
  if (!inbox || message.messageType !== 'incoming') return [];
  const others = world.store.messagesIn(conversation);
  if (others.some(one => one.messageType === 'template')) return [];
  if (inbox.outOfOfficeMessage && isClosed(inbox, world.now())) return [inbox.outOfOfficeMessage];
  const isFirst = !others.some(one => one.messageType === 'outgoing');
  return inbox.greetingEnabled && inbox.greetingMessage && isFirst ? [inbox.greetingMessage] : [];
}

function isClosed(inbox: Inbox, now: number): boolean {
  if (!inbox.workingHoursEnabled) return false;
  const local = new Date(new Date(now).toLocaleString('en-US', { timeZone: inbox.timezone }));
  const today = inbox.workingHours.find(hour => hour.day_of_week === local.getDay());
  if (!today || today.open_all_day) return false;
  return today.closed_all_day || !isWithin(today, local.getHours() * 60 + local.getMinutes());
}

function isWithin(hour: WorkingHour, minute: number): boolean {
  const from = (hour.open_hour ?? 0) * 60 + (hour.open_minutes ?? 0);
  const until = (hour.close_hour ?? 0) * 60 + (hour.close_minutes ?? 0);
  return minute >= from && minute < until;
}

/** Returns the survey, sent once when a conversation is resolved. */
export function surveyFor(
  world: World,
  conversation: Conversation,
): { content: string; contentAttributes: Json } | undefined {
  const inbox = world.store.inboxes.get(conversation.inboxId);
  const asked = world.store.messagesIn(conversation).some(one => one.contentType === 'input_csat');
  if (!inbox?.csatSurveyEnabled || asked) return undefined;
  const own = inbox.csatConfig['message'];
  return {
    content: typeof own === 'string' ? own : 'Please rate the conversation',
    contentAttributes: { display_type: inbox.csatConfig['display_type'] ?? 'emoji' },
  };
}
