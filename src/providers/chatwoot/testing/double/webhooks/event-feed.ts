import { Deliveries } from './deliveries';
import { moveToHumans } from '../domain/bot-failure';
import { markFailed } from '../domain/message-status';
import { contactBody, conversationBody, messageBody, userBody } from '../present/webhooks';
import type { Changes, Events } from '../events';
import type { AgentBot, Contact, Conversation, Json, Message, User } from '../model';
import type { World } from '../world';

export const ACCOUNT_EVENTS = [
  'conversation_status_changed',
  'conversation_updated',
  'conversation_created',
  'contact_created',
  'contact_updated',
  'message_created',
  'message_updated',
  'webwidget_triggered',
  'inbox_created',
  'inbox_updated',
  'conversation_typing_on',
  'conversation_typing_off',
];

/** The events of an account webhook without a list of subscriptions: neither typing nor inbox events. */
export const DEFAULT_SUBSCRIPTIONS = ACCOUNT_EVENTS.slice(0, 8);

const BOT_EVENTS = ['message_created', 'message_updated', 'conversation_opened', 'conversation_resolved'];
const BOT_UPDATE_EVENTS = ['conversation_updated', 'conversation_status_changed'];

interface Happening {
  event: string;
  accountId: number;
  conversation?: Conversation;
  message?: Message;
  body: (inAccount: number | null) => Json;
}

/** Passes events to the three senders: account webhooks, the inbox's webhook, agent bots. */
export class EventFeed implements Events {
  readonly deliveries: Deliveries;
  private readonly listeners: Array<(event: string, conversation: Conversation) => void> = [];
  private readonly messageListeners: Array<(event: string, message: Message) => void> = [];

  constructor(private readonly world: World) {
    this.deliveries = new Deliveries(world);
  }

  /** Registers what Chatwoot itself does on a conversation's events. */
  onConversation(listener: (event: string, conversation: Conversation) => void): void {
    this.listeners.push(listener);
  }

  /** Registers what Chatwoot itself does on a message's events. */
  onMessage(listener: (event: string, message: Message) => void): void {
    this.messageListeners.push(listener);
  }

  automation(url: string, body: () => Json): void {
    this.deliveries.send({
      event: 'automation_event.message_created',
      receiver: 'automation',
      url,
      secret: '',
      build: body,
      onFailure: () => undefined,
    });
  }

  conversation(event: string, row: Conversation, changes?: Changes): void {
    const body = (inAccount: number | null) => ({
      ...conversationBody(this.world, row, inAccount),
      event,
      ...(changes === undefined ? {} : { changed_attributes: changes }),
    });
    this.happen({ event, accountId: row.accountId, conversation: row, body });
    for (const listener of this.listeners) listener(event, row);
  }

  message(event: string, row: Message): void {
    const conversation = this.world.store.conversations.get(row.conversationRowId);
    if (!conversation || row.messageType === 'activity') return;
    const body = (inAccount: number | null) => ({ ...messageBody(this.world, row, inAccount), event });
    this.happen({ event, accountId: row.accountId, conversation, message: row, body });
    for (const listener of this.messageListeners) listener(event, row);
  }

  contact(event: string, row: Contact, changes?: Changes): void {
    const body = () => ({
      ...contactBody(this.world, row),
      event,
      ...(changes ? { changed_attributes: changes } : {}),
    });
    this.happen({ event, accountId: row.accountId, body });
  }

  typing(on: boolean, row: Conversation, by: { user: User } | { contact: Contact }, isPrivate: boolean): void {
    if (!this.world.features.typingWebhooks) return;
    const event = on ? 'conversation_typing_on' : 'conversation_typing_off';
    const body = (inAccount: number | null) => ({
      event,
      user: 'user' in by ? userBody(by.user) : contactBody(this.world, by.contact),
      conversation: conversationBody(this.world, row, inAccount),
      is_private: isPrivate,
    });
    this.happen({ event, accountId: row.accountId, conversation: row, body });
  }

  private happen(happening: Happening): void {
    this.toBots(happening);
    this.toAccount(happening);
    this.toInbox(happening);
  }

  /** Builds the body when the job runs; returns nothing if the conversation was deleted. */
  private later({ body, conversation }: Happening): Json | undefined {
    if (conversation && !this.world.store.conversations.get(conversation.rowId)) return undefined;
    return body(null);
  }

  private toAccount(happening: Happening): void {
    const { event, accountId } = happening;
    for (const webhook of this.world.store.webhooks.where(
      row => row.accountId === accountId && row.subscriptions.includes(event),
    )) {
      this.deliveries.send({
        event,
        receiver: 'account',
        url: webhook.url,
        secret: webhook.secret,
        build: () => this.later(happening),
        onFailure: () => undefined,
      });
    }
  }

  private toInbox(happening: Happening): void {
    const { event, conversation, message } = happening;
    const inbox = this.world.store.inboxes.get(conversation?.inboxId);
    if (!inbox?.webhookUrl || !ACCOUNT_EVENTS.includes(event)) return;
    this.deliveries.send({
      event,
      receiver: 'inbox',
      url: inbox.webhookUrl,
      secret: inbox.secret,
      build: () => this.later(happening),
      onFailure: error => message && markFailed(this.world, message, error),
    });
  }

  private toBots({ event, conversation, message, body }: Happening): void {
    const isSubscribed =
      BOT_EVENTS.includes(event) || (this.world.features.botHearsUpdates && BOT_UPDATE_EVENTS.includes(event));
    if (!conversation || !isSubscribed) return;
    for (const bot of this.botsOf(conversation)) {
      if (!bot.outgoingUrl) continue;
      // Unlike the others, bots' bodies are built during the request.
      const snapshot = structuredClone(body(conversation.accountId));
      this.deliveries.send({
        event,
        receiver: 'agent_bot',
        url: bot.outgoingUrl,
        secret: bot.secret,
        build: () => snapshot,
        onFailure: () => message && moveToHumans(this.world, conversation),
      });
    }
  }

  private botsOf(conversation: Conversation): AgentBot[] {
    const { store } = this.world;
    const ofInbox = store.agentBots.get(store.inboxes.get(conversation.inboxId)?.agentBotId);
    const assigned = store.agentBots.get(conversation.assigneeAgentBotId);
    return [...new Set([ofInbox, assigned])].filter((bot): bot is AgentBot => bot !== undefined);
  }
}
