import { fitText } from '../../core/content/fit-text';
import { ProviderRefusedError } from '../../core/errors';
import { WebhookRejectedError } from '../../core/request-errors';
import type { AccountAccess, ConversationAccess, InboxAccess } from '../../core/ports/provider/access';
import type { ChangedConversations, ChangedPage } from '../../core/ports/provider/read-verbs';
import type { ConversationView } from '../../core/conversation-view';
import type { DeleteMessage, PostMessage, PostNote } from '../../core/ports/provider/post-verbs';
import type { EnsureAccount, EnsureInbox } from '../../core/ports/provider/setup-verbs';
import type {
  OpenConversation,
  OpenForAgents,
  ReportNewest,
  UpdateContact,
} from '../../core/ports/provider/conversation-verbs';
import type { DriftVerbs } from '../../core/ports/provider/drift';
import type { AgentAndTeamVerbs } from '../../core/ports/provider/agents-and-teams';
import type { ProviderHost } from '../../core/ports/provider/definition';
import type { ListMessages } from '../../core/ports/provider/observation';
import type { SupportProvider } from '../../core/ports/provider/support-provider';
import type { EndUser } from '../../core/session';
import {
  HELD_FOR_BOT,
  applyMessageToState,
  changeState,
  ensureConversation,
  lockConversation,
  recordActivity,
  statusAt,
  type DeskConversation,
} from './conversation';
import { listChangedConversations } from './changed-conversations';
import { ensureContact, updateContact } from './contact';
import { requireAccount, withPortErrors, withTimeLimit, isDeskId, type Database, type Query } from './database';
import { clearMessage, insertMessage, findNewestMessage, type NewMessage } from './messages';
import { readPostedFiles } from './read-posted-files';
import { conversationGoneError, listMessages } from './list-messages';
import { createDriftVerbs } from './drift';
import { DeskAgentsAndTeams } from './agents-and-teams';
import { CAPABILITIES, ensureAccount, ensureInbox, areTargetsValid, listAgents, listTeams } from './setup';

/**
 * Implements the provider port for the desk. Unique constraints make repeated calls harmless; the instance holds no
 * state.
 */
export class DeskProvider implements SupportProvider {
  private readonly database: Database;

  readonly agentsAndTeams: AgentAndTeamVerbs;
  readonly drift: DriftVerbs;

  constructor(private readonly host: ProviderHost) {
    this.database = withPortErrors(host.database);
    this.agentsAndTeams = new DeskAgentsAndTeams(this.database);
    this.drift = createDriftVerbs(this.database);
  }

  readCapabilities(_access: AccountAccess, signal: AbortSignal) {
    return withTimeLimit(signal, async () => CAPABILITIES);
  }

  ensureAccount(request: EnsureAccount, signal: AbortSignal) {
    return withTimeLimit(signal, () => ensureAccount(this.database, this.now(), request));
  }

  ensureInbox(request: EnsureInbox, signal: AbortSignal) {
    return withTimeLimit(signal, () => this.database.transaction(query => ensureInbox(query, request)));
  }

  listTeams(access: AccountAccess, signal: AbortSignal) {
    return withTimeLimit(signal, async () =>
      listTeams(this.database.query, await requireAccount(this.database.query, access)),
    );
  }

  listAgents(access: AccountAccess, signal: AbortSignal) {
    return withTimeLimit(signal, async () =>
      listAgents(this.database.query, await requireAccount(this.database.query, access)),
    );
  }

  ensureContact(inbox: InboxAccess, sessionId: string, endUser: EndUser, signal: AbortSignal) {
    return withTimeLimit(signal, () =>
      this.database.transaction(async query => {
        const account = await requireAccount(query, inbox.account);
        const id = await ensureContact(query, account, toDeskId(inbox.externalId), sessionId, endUser);
        if (id === null) throw inboxGoneError();
        return id;
      }),
    );
  }

  updateContact(request: UpdateContact, signal: AbortSignal): Promise<readonly string[]> {
    return withTimeLimit(signal, () =>
      this.database.transaction(async query => {
        const account = await requireAccount(query, request.inbox.account);
        if (!(await updateContact(query, account, toDeskId(request.contactId), request))) throw inboxGoneError();
        return [];
      }),
    );
  }

  openConversation({ inbox, contactId, sessionId }: OpenConversation, signal: AbortSignal) {
    return withTimeLimit(signal, () =>
      this.database.transaction(async query => {
        const account = await requireAccount(query, inbox.account);
        const place = { inboxId: toDeskId(inbox.externalId), contactId: toDeskId(contactId), sessionId };
        const id = await ensureConversation(query, account, place, this.now());
        if (id === null) throw inboxGoneError();
        return id;
      }),
    );
  }

  async postMessage({ conversation, message }: PostMessage, signal: AbortSignal) {
    const { id: our_id, author, visibility, authorName: author_name, createdAt: at } = message;
    const { attachments, omittedNames } = await readPostedFiles(message.attachments, signal);
    const text = [message.text, ...omittedNames.map(name => `[${name}] is too large for the desk.`)]
      .filter(line => line !== '')
      .join('\n');
    return this.post(
      conversation,
      { our_id, author, visibility, agent_id: null, author_name, text, attachments, at },
      signal,
    );
  }

  postNote({ conversation, noteId, text }: PostNote, signal: AbortSignal) {
    return this.post(
      conversation,
      {
        our_id: noteId,
        author: 'BOT',
        visibility: 'INTERNAL',
        agent_id: null,
        author_name: null,
        text,
        attachments: [],
        at: this.now(),
      },
      signal,
    );
  }

  private async post(conversation: ConversationAccess, whole: NewMessage, signal: AbortSignal): Promise<string> {
    const { text, file } = fitText(
      whole.text,
      whole.visibility === 'INTERNAL' ? 'note.txt' : 'message.txt',
      one => one.length <= CAPABILITIES.maxTextLength,
    );
    const content = file && Buffer.from(file.content);
    const rest =
      file && content ? [{ name: file.name, content_type: 'text/plain', size_bytes: content.length, content }] : [];
    const message = { ...whole, text, attachments: [...whole.attachments, ...rest] };
    return this.writeConversation(conversation, signal, async (query, row) => {
      const { id, isNew } = await insertMessage(query, row, message);
      if (isNew) await applyMessageToState(query, row, message, this.now());
      return id;
    });
  }

  deleteMessage({ conversation, messageId }: DeleteMessage, signal: AbortSignal): Promise<void> {
    return this.writeConversation(conversation, signal, async (query, row) => {
      if (await clearMessage(query, row, toDeskId(messageId), this.now()))
        await recordActivity(query, row, 'A message was deleted.', this.now());
    });
  }

  async returnToBot(conversation: ConversationAccess, signal: AbortSignal, reportNewest?: ReportNewest): Promise<void> {
    const newest = await this.writeConversation(conversation, signal, async (query, row) => {
      const last = await findNewestMessage(query, row);
      if (row.status === 'BOT_HELD' && row.agent_id === null && row.team_id === null && row.priority === null)
        return last;
      await recordActivity(query, row, 'The bot has the conversation.', this.now());
      await changeState(query, row, HELD_FOR_BOT, this.now());
      return last;
    });
    reportNewest?.(newest);
  }

  openForAgents({ conversation, teamId, agentId, priority }: OpenForAgents, signal: AbortSignal): Promise<void> {
    return this.writeConversation(conversation, signal, async (query, row) => {
      if (!(await areTargetsValid(query, row.account_id, { teamId, agentId })))
        throw new ProviderRefusedError('The desk has no such team or agent; refresh the lists and choose another.');
      const now = this.now();
      // A repeated call must not undo what agents have changed since.
      const isRepeat = row.status === 'OPEN' || row.status === 'ON_HOLD';
      const before = isRepeat ? row : { ...HELD_FOR_BOT, waiting_since: now };
      if (!isRepeat) await recordActivity(query, row, 'A human agent was requested.', now);
      await changeState(
        query,
        row,
        {
          status: 'OPEN',
          snoozed_until: null,
          waiting_since: before.waiting_since,
          team_id: teamId ?? before.team_id,
          agent_id: agentId ?? before.agent_id,
          priority: priority ?? before.priority,
        },
        now,
      );
    });
  }

  async resolve(conversation: ConversationAccess, signal: AbortSignal, reportNewest?: ReportNewest): Promise<void> {
    const newest = await this.writeConversation(conversation, signal, async (query, row) => {
      const last = await findNewestMessage(query, row);
      if (row.status === 'RESOLVED') return last;
      await recordActivity(query, row, 'Resolved.', this.now());
      await changeState(query, row, { status: 'RESOLVED', snoozed_until: null, waiting_since: null }, this.now());
      return last;
    });
    reportNewest?.(newest);
  }

  parseWebhook(): never {
    throw new WebhookRejectedError('malformed', 'The desk sends no webhooks; this request is not from it.');
  }

  readConversation({ inbox, conversationId }: ConversationAccess, signal: AbortSignal): Promise<ConversationView> {
    return withTimeLimit(signal, async () => {
      const {
        rows: [row],
      } = await this.database.query(
        `
        select ${statusAt('c', 3)} as status, c.agent_id, a.name as agent_name, c.team_id
        from desk_conversation c left join desk_agent a on a.id = c.agent_id
        where c.id = $1 and c.account_id = $2`,
        [toDeskId(conversationId), await requireAccount(this.database.query, inbox.account), this.now()],
      );
      if (!row) throw conversationGoneError();
      return {
        status: row.status,
        agent: row.agent_id === null ? null : { externalId: row.agent_id, name: row.agent_name },
        teamId: row.team_id,
      };
    });
  }

  listMessages(request: ListMessages, signal: AbortSignal) {
    return withTimeLimit(signal, () => listMessages(this.database.query, request));
  }

  listChangedConversations(request: ChangedConversations, signal: AbortSignal): Promise<ChangedPage> {
    return withTimeLimit(signal, () => listChangedConversations(this.database.query, this.host.now(), request));
  }

  /** Runs one transaction with the conversation's row locked. */
  private writeConversation<T>(
    { inbox, conversationId }: ConversationAccess,
    signal: AbortSignal,
    work: (query: Query, row: DeskConversation) => Promise<T>,
  ): Promise<T> {
    return withTimeLimit(signal, () =>
      this.database.transaction(async query => {
        const row = await lockConversation(
          query,
          await requireAccount(query, inbox.account),
          conversationId,
          this.now(),
        );
        if (!row) throw conversationGoneError();
        return work(query, row);
      }),
    );
  }

  private now(): string {
    return new Date(this.host.now()).toISOString();
  }
}

/** Replaces a text that cannot be a desk id by an id that no row has. */
const toDeskId = (id: string): string => (isDeskId(id) ? id : '0');

const inboxGoneError = () =>
  new ProviderRefusedError('The desk has no such inbox or contact; enable support for the chatbot again.', {
    gone: true,
  });
