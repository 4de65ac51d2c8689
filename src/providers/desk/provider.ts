import { fitText } from '../../core/content/overflow';
import { ProviderRefusedError, WebhookRejectedError } from '../../core/errors';
import type {
  AccountAccess, ChangedConversations, ChangedPage, ConversationAccess, ConversationView, DeleteMessage, EnsureAccount, EnsureInbox, InboxAccess, OpenConversation, OpenForAgents,
  DriftVerbs, PeopleVerbs, PostMessage, PostNote, ProviderHost, ReadForward, ReportNewest, SupportProvider, UpdateContact,
} from '../../core/ports/support-provider';
import type { EndUser } from '../../core/session';
import { HELD_FOR_BOT, changeState, lockConversation, noteActivity, statusAt, type DeskConversation } from './conversation';
import { changedConversations } from './changed';
import { changeContact } from './contact';
import { accountOf, inPortWords, inTime, isDeskId, type Database, type Query } from './database';
import { emptyMessage, insertMessage, newestMessage, type NewMessage } from './messages';
import { takePosted } from './posted-files';
import { gone, readForward } from './read-forward';
import { deskDrift } from './drift';
import { deskPeople } from './people';
import { CAPABILITIES, ensureAccount, ensureInbox, isTarget, listAgents, listTeams } from './set-up';

/**
 * Implements the provider port for the desk. Unique constraints make repeated calls harmless; the instance holds no
 * state.
 */
export class DeskProvider implements SupportProvider {
  private readonly database: Database;

  readonly people: PeopleVerbs;
  readonly drift: DriftVerbs;

  constructor(private readonly host: ProviderHost) {
    this.database = inPortWords(host.database);
    this.people = deskPeople(this.database);
    this.drift = deskDrift(this.database);
  }

  capabilities(_access: AccountAccess, signal: AbortSignal) {
    return inTime(signal, async () => CAPABILITIES);
  }

  ensureAccount(request: EnsureAccount, signal: AbortSignal) {
    return inTime(signal, () => ensureAccount(this.database, this.now(), request));
  }

  ensureInbox(request: EnsureInbox, signal: AbortSignal) {
    return inTime(signal, () => this.database.transaction((query) => ensureInbox(query, request)));
  }

  listTeams(access: AccountAccess, signal: AbortSignal) {
    return inTime(signal, async () => listTeams(this.database.query, await accountOf(this.database.query, access)));
  }

  listAgents(access: AccountAccess, signal: AbortSignal) {
    return inTime(signal, async () => listAgents(this.database.query, await accountOf(this.database.query, access)));
  }

  ensureContact(inbox: InboxAccess, sessionId: string, endUser: EndUser, signal: AbortSignal) {
    return inTime(signal, () => this.database.transaction(async (query): Promise<string> => {
      const { rows: [contact] } = await query(`
        insert into desk_contact (inbox_id, session_id, name, email, phone, locale, attributes)
        select id, $3, $4, $5, $6, $7, $8 from desk_inbox where id = $1 and account_id = $2
        on conflict on constraint uq_desk_contact_session do update
          set name = excluded.name, email = excluded.email, phone = excluded.phone, locale = excluded.locale, attributes = excluded.attributes
        returning id`,
      [known(inbox.externalId), await accountOf(query, inbox.account), sessionId, endUser.name, endUser.email, endUser.phone, endUser.locale, endUser.attributes]);
      if (!contact) throw inboxGone();
      return contact.id;
    }));
  }

  updateContact(request: UpdateContact, signal: AbortSignal): Promise<readonly string[]> {
    return inTime(signal, () => this.database.transaction(async (query) => {
      const account = await accountOf(query, request.inbox.account);
      if (!(await changeContact(query, account, known(request.contactId), request))) throw inboxGone();
      return [];
    }));
  }

  openConversation({ inbox, contactId, sessionId }: OpenConversation, signal: AbortSignal) {
    return inTime(signal, () => this.database.transaction(async (query): Promise<string> => {
      const { rows: [conversation] } = await query(`
        insert into desk_conversation (account_id, inbox_id, contact_id, session_id, status, last_activity_at, created_at)
        select i.account_id, i.id, c.id, $4, 'BOT_HELD', $5, $5
        from desk_inbox i join desk_contact c on c.inbox_id = i.id and c.id = $3 and c.session_id = $4
        where i.id = $1 and i.account_id = $2
        on conflict on constraint uq_desk_conversation_session do update set session_id = excluded.session_id
        returning id`, [known(inbox.externalId), await accountOf(query, inbox.account), known(contactId), sessionId, this.now()]);
      if (!conversation) throw inboxGone();
      return conversation.id;
    }));
  }

  async postMessage({ conversation, message }: PostMessage, signal: AbortSignal) {
    const { id: our_id, author, visibility, authorName: author_name, createdAt: at } = message;
    const { attachments, left } = await takePosted(message.attachments, signal);
    const text = [message.text, ...left.map((name) => `[${name}] is too large for the desk.`)].filter((line) => line !== '').join('\n');
    return this.post(conversation, { our_id, author, visibility, agent_id: null, author_name, text, attachments, at }, signal);
  }

  postNote({ conversation, noteId, text }: PostNote, signal: AbortSignal) {
    return this.post(conversation, { our_id: noteId, author: 'BOT', visibility: 'INTERNAL', agent_id: null, author_name: null, text, attachments: [], at: this.now() }, signal);
  }

  private async post(conversation: ConversationAccess, whole: NewMessage, signal: AbortSignal): Promise<string> {
    const { text, file } = fitText(whole.text, whole.visibility === 'INTERNAL' ? 'note.txt' : 'message.txt', (one) => one.length <= CAPABILITIES.maxTextLength);
    const content = file && Buffer.from(file.content);
    const rest = file && content ? [{ name: file.name, content_type: 'text/plain', size_bytes: content.length, content }] : [];
    const message = { ...whole, text, attachments: [...whole.attachments, ...rest] };
    return this.write(conversation, signal, async (query, row) => {
      const { id, isNew } = await insertMessage(query, row, message);
      if (isNew) await this.stateAfter(query, row, message);
      return id;
    });
  }

  deleteMessage({ conversation, messageId }: DeleteMessage, signal: AbortSignal): Promise<void> {
    return this.write(conversation, signal, async (query, row) => {
      if (await emptyMessage(query, row, known(messageId), this.now())) await noteActivity(query, row, 'A message was deleted.', this.now());
    });
  }

  /**
   * Changes the state after a new message. An end-user's public message ends a snooze, and returns a resolved
   * conversation to the bot.
   */
  private async stateAfter(query: Query, row: DeskConversation, { author, visibility }: NewMessage): Promise<void> {
    const now = this.now();
    if (author !== 'END_USER' || visibility !== 'PUBLIC') await changeState(query, row, {}, now);
    else if (row.status === 'RESOLVED') await changeState(query, row, HELD_FOR_BOT, now);
    else if (row.status === 'BOT_HELD') await changeState(query, row, {}, now);
    else {
      if (row.status === 'ON_HOLD') await noteActivity(query, row, 'Taken off hold because the visitor wrote.', now);
      await changeState(query, row, { status: 'OPEN', snoozed_until: null, waiting_since: row.waiting_since ?? now }, now);
    }
  }

  async holdForBot(conversation: ConversationAccess, signal: AbortSignal, reportNewest?: ReportNewest): Promise<void> {
    const newest = await this.write(conversation, signal, async (query, row) => {
      const last = await newestMessage(query, row);
      if (row.status === 'BOT_HELD' && row.agent_id === null && row.team_id === null && row.priority === null) return last;
      await noteActivity(query, row, 'The bot has the conversation.', this.now());
      await changeState(query, row, HELD_FOR_BOT, this.now());
      return last;
    });
    reportNewest?.(newest);
  }

  openForAgents({ conversation, teamId, agentId, priority }: OpenForAgents, signal: AbortSignal): Promise<void> {
    return this.write(conversation, signal, async (query, row) => {
      if (!(await isTarget(query, row.account_id, { teamId, agentId })))
        throw new ProviderRefusedError('The desk has no such team or agent; refresh the lists and choose another.');
      const now = this.now();
      // A repeated call must not undo what agents have changed since.
      const isRepeat = row.status === 'OPEN' || row.status === 'ON_HOLD';
      const before = isRepeat ? row : { ...HELD_FOR_BOT, waiting_since: now };
      if (!isRepeat) await noteActivity(query, row, 'A human agent was requested.', now);
      await changeState(query, row, {
        status: 'OPEN', snoozed_until: null, waiting_since: before.waiting_since,
        team_id: teamId ?? before.team_id, agent_id: agentId ?? before.agent_id, priority: priority ?? before.priority,
      }, now);
    });
  }

  async resolve(conversation: ConversationAccess, signal: AbortSignal, reportNewest?: ReportNewest): Promise<void> {
    const newest = await this.write(conversation, signal, async (query, row) => {
      const last = await newestMessage(query, row);
      if (row.status === 'RESOLVED') return last;
      await noteActivity(query, row, 'Resolved.', this.now());
      await changeState(query, row, { status: 'RESOLVED', snoozed_until: null, waiting_since: null }, this.now());
      return last;
    });
    reportNewest?.(newest);
  }

  parseWebhook(): never {
    throw new WebhookRejectedError('malformed', 'The desk sends no webhooks; this request is not from it.');
  }

  readConversation({ inbox, conversationId }: ConversationAccess, signal: AbortSignal): Promise<ConversationView> {
    return inTime(signal, async () => {
      const { rows: [row] } = await this.database.query(`
        select ${statusAt('c', 3)} as status, c.agent_id, a.name as agent_name, c.team_id
        from desk_conversation c left join desk_agent a on a.id = c.agent_id
        where c.id = $1 and c.account_id = $2`, [known(conversationId), await accountOf(this.database.query, inbox.account), this.now()]);
      if (!row) throw gone();
      return { status: row.status, agent: row.agent_id === null ? null : { externalId: row.agent_id, name: row.agent_name }, teamId: row.team_id };
    });
  }

  readForward(request: ReadForward, signal: AbortSignal) {
    return inTime(signal, () => readForward(this.database.query, request));
  }

  changedConversations(request: ChangedConversations, signal: AbortSignal): Promise<ChangedPage> {
    return inTime(signal, () => changedConversations(this.database.query, this.host.now(), request));
  }

  /** Runs one transaction with the conversation's row locked. */
  private write<T>({ inbox, conversationId }: ConversationAccess, signal: AbortSignal, work: (query: Query, row: DeskConversation) => Promise<T>): Promise<T> {
    return inTime(signal, () => this.database.transaction(async (query) => {
      const row = await lockConversation(query, await accountOf(query, inbox.account), conversationId, this.now());
      if (!row) throw gone();
      return work(query, row);
    }));
  }

  private now(): string { return new Date(this.host.now()).toISOString(); }
}

/** Replaces a text that cannot be a desk id by an id that no row has. */
const known = (id: string): string => (isDeskId(id) ? id : '0');

const inboxGone = () => new ProviderRefusedError('The desk has no such inbox or contact; enable support for the chatbot again.', { gone: true });
