import { postTemplate } from './messages';
import type { Conversation, Inbox, Message, WorkingHour } from '../model';
import type { World } from '../world';

/** The inbox's own lines, sent when a visitor writes: closed hours first, then the greeting. */
export function sendTemplates(world: World, conversation: Conversation, message: Message): void {
  const inbox = world.store.inboxes.get(conversation.inboxId);
  if (!inbox || message.messageType !== 'incoming') return;
  const others = world.store.messagesIn(conversation);
  const templates = others.filter((one) => one.messageType === 'template');
  if (inbox.outOfOfficeMessage && isClosed(inbox, world.now()) && templates.length === 0) {
    postTemplate(world, conversation, { content: inbox.outOfOfficeMessage });
  }
  const isFirst = templates.length === 0 && !others.some((one) => one.messageType === 'outgoing');
  if (inbox.greetingEnabled && inbox.greetingMessage && isFirst) {
    postTemplate(world, conversation, { content: inbox.greetingMessage });
  }
}

function isClosed(inbox: Inbox, now: number): boolean {
  if (!inbox.workingHoursEnabled) return false;
  const local = new Date(new Date(now).toLocaleString('en-US', { timeZone: inbox.timezone }));
  const today = inbox.workingHours.find((hour) => hour.day_of_week === local.getDay());
  if (!today || today.open_all_day) return false;
  return today.closed_all_day || !isWithin(today, local.getHours() * 60 + local.getMinutes());
}

function isWithin(hour: WorkingHour, minute: number): boolean {
  const from = (hour.open_hour ?? 0) * 60 + (hour.open_minutes ?? 0);
  const until = (hour.close_hour ?? 0) * 60 + (hour.close_minutes ?? 0);
  return minute >= from && minute < until;
}

/** Asks for a rating once, when a conversation is resolved. */
export function sendSurvey(world: World, conversation: Conversation): void {
  const inbox = world.store.inboxes.get(conversation.inboxId);
  const asked = world.store.messagesIn(conversation).some((one) => one.contentType === 'input_csat');
  if (!inbox?.csatSurveyEnabled || asked) return;
  // A listener's job, hence after the events of resolving.
  world.jobs.enqueue(() => {
    if (!world.store.conversations.get(conversation.rowId)) return;
    const displayType = inbox.csatConfig['display_type'] ?? 'emoji';
    const content = typeof inbox.csatConfig['message'] === 'string' ? inbox.csatConfig['message'] : 'Please rate the conversation';
    postTemplate(world, conversation, { content, contentType: 'input_csat', contentAttributes: { display_type: displayType } });
  });
}
