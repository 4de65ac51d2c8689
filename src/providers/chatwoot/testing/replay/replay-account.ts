import type { ChatwootDouble, ChatwootDoubleOptions } from '../double';
import { Replay, type Answer } from './replay';

const A = '/api/v1/accounts/1';

/** An account with an inbox: Ada is its administrator, Alice a member of the inbox, Carol another agent. */
export class ReplayAccount {
  static readonly ADA = 2;
  static readonly ALICE = 3;
  static readonly CAROL = 4;
  private constructor(
    readonly theatre: Replay,
    readonly inbox: Answer,
  ) {}

  static async open(options: ChatwootDoubleOptions = {}, inbox: Record<string, unknown> = {}): Promise<ReplayAccount> {
    const theatre = await Replay.open({ activityDelayMs: 0, ...options });
    await theatre.call('PLATFORM', 'POST', '/platform/api/v1/accounts', { name: 'Acme' });
    for (const [who, role] of [
      ['ADA', 'administrator'],
      ['ALICE', 'agent'],
      ['CAROL', 'agent'],
    ] as const) {
      const fields = { name: who, email: `${who}@acme.example`, password: 'Passw0rd!x' };
      const user = await theatre.call('PLATFORM', 'POST', '/platform/api/v1/users', fields);
      theatre.replacements.set(`<${who}_TOKEN>`, user.access_token);
      await theatre.call('PLATFORM', 'POST', '/platform/api/v1/accounts/1/account_users', { user_id: user.id, role });
    }
    const made = await theatre.call('ADA', 'POST', `${A}/inboxes`, {
      name: 'Support',
      channel: { type: 'api', ...(inbox['channel'] as object) },
      ...without(inbox),
    });
    await theatre.call('ADA', 'POST', `${A}/inbox_members`, { inbox_id: made.id, user_ids: [ReplayAccount.ALICE] });
    return new ReplayAccount(theatre, made);
  }

  get double(): ChatwootDouble {
    return this.theatre.double;
  }

  close(): Promise<void> {
    return this.theatre.close();
  }

  /** Calls the account's API, by default as Ada. */
  call(method: string, path: string, body?: unknown, who = 'ADA'): Promise<Answer> {
    return this.theatre.call(who, method, `${A}${path}`, body);
  }

  /** Returns status and text, for calls that may be refused. */
  async raw(who: string, method: string, path: string, body?: unknown): Promise<{ status: number; text: string }> {
    const response = await fetch(this.double.baseUrl + A + path, {
      method,
      headers: { 'api-access-token': this.theatre.translate(`<${who}_TOKEN>`), 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, text: await response.text() };
  }

  async contact(identifier: string, fields: Record<string, unknown> = {}): Promise<{ id: number; sourceId: string }> {
    const { payload } = await this.call('POST', '/contacts', { inbox_id: this.inbox.id, identifier, ...fields });
    return { id: payload.contact.id, sourceId: payload.contact_inbox.source_id };
  }

  /** Creates a new visitor's conversation and returns the response. */
  async conversation(fields: Record<string, unknown> = {}, identifier = `visitor-${Math.random()}`): Promise<Answer> {
    const { id, sourceId } = await this.contact(identifier);
    return this.call('POST', '/conversations', {
      inbox_id: this.inbox.id,
      contact_id: id,
      source_id: sourceId,
      ...fields,
    });
  }

  say(conversationId: number, content: string, fields: Record<string, unknown> = {}, who = 'ADA'): Promise<Answer> {
    return this.call(
      'POST',
      `/conversations/${conversationId}/messages`,
      { content, message_type: 'incoming', ...fields },
      who,
    );
  }

  read(conversationId: number): Promise<Answer> {
    return this.call('GET', `/conversations/${conversationId}`);
  }

  async history(conversationId: number, query = ''): Promise<Answer[]> {
    return (await this.call('GET', `/conversations/${conversationId}/messages${query}`)).payload;
  }

  agent(userId: number, conversationId: number) {
    return this.double.agent(userId, { accountId: 1, conversationId });
  }

  /** Creates a bot and connects it to the inbox. Its token is `<AB_TOKEN>`. */
  async bot(outgoingUrl?: string): Promise<Answer> {
    const bot = await this.call('POST', '/agent_bots', {
      name: 'Bot',
      ...(outgoingUrl ? { outgoing_url: outgoingUrl } : {}),
    });
    await this.call('POST', `/inboxes/${this.inbox.id}/set_agent_bot`, { agent_bot: bot.id });
    this.theatre.replacements.set('<AB_TOKEN>', bot.access_token);
    return bot;
  }

  setInboxWebhook(url: string): Promise<Answer> {
    return this.call('PATCH', `/inboxes/${this.inbox.id}`, { channel: { webhook_url: url } });
  }
}

const without = (inbox: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(inbox).filter(([key]) => key !== 'channel'));
