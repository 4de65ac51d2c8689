import type {
  Account,
  AccountUser,
  AgentBot,
  AutomationRule,
  Blob,
  CannedResponse,
  Contact,
  ContactInbox,
  Conversation,
  CsatResponse,
  CustomAttributeDefinition,
  Inbox,
  Label,
  Macro,
  Message,
  Notification,
  NotificationSetting,
  PlatformApp,
  Team,
  User,
  Webhook,
} from './model';

/** One table: rows by id. Ids are never reused. */
export class Table<Row> {
  private readonly rows = new Map<number, Row>();
  constructor(private lastId = 0) {}

  nextId(): number {
    return ++this.lastId;
  }

  /** @throws if that id may already be in use */
  setNextId(id: number): void {
    if (id <= this.lastId)
      throw new Error(`The next id cannot be ${id}, because ${this.lastId} is already in use; give a higher one.`);
    this.lastId = id - 1;
  }

  insert(id: number, row: Row): Row {
    this.rows.set(id, row);
    return row;
  }

  get(id: number | null | undefined): Row | undefined {
    return id == null ? undefined : this.rows.get(id);
  }

  delete(id: number): void {
    this.rows.delete(id);
  }

  all(): Row[] {
    return [...this.rows.values()];
  }

  where(matches: (row: Row) => boolean): Row[] {
    return this.all().filter(matches);
  }

  find(matches: (row: Row) => boolean): Row | undefined {
    for (const row of this.rows.values()) if (matches(row)) return row;
    return undefined;
  }
}

/** The double's whole data. Lost when it stops. */
export class Store {
  readonly platformApps = new Table<PlatformApp>();
  readonly accounts = new Table<Account>();
  /** User 1 is the super administrator of a new installation, whom no API shows. */
  readonly users = new Table<User>(1);
  readonly accountUsers = new Table<AccountUser>();
  readonly inboxes = new Table<Inbox>();
  readonly teams = new Table<Team>();
  readonly agentBots = new Table<AgentBot>();
  readonly contacts = new Table<Contact>();
  readonly contactInboxes = new Table<ContactInbox>();
  readonly conversations = new Table<Conversation>();
  readonly messages = new Table<Message>();
  readonly attachments = new Table<true>();
  readonly blobs = new Table<Blob>();
  readonly labels = new Table<Label>();
  readonly webhooks = new Table<Webhook>();
  readonly csatResponses = new Table<CsatResponse>();
  readonly attributeDefinitions = new Table<CustomAttributeDefinition>();
  readonly cannedResponses = new Table<CannedResponse>();
  readonly automationRules = new Table<AutomationRule>();
  readonly macros = new Table<Macro>();
  readonly notifications = new Table<Notification>();
  readonly notificationSettings = new Table<NotificationSetting>();
  readonly companies = new Map<string, number>();
  /** Sign-ins by their `client` header. */
  readonly sessions = new Map<string, { token: string; userId: number }>();
  private readonly messagesOf = new Map<number, Message[]>();

  accountUser(accountId: number, userId: number | null): AccountUser | undefined {
    return this.accountUsers.find(row => row.accountId === accountId && row.userId === userId);
  }

  usersOf(accountId: number): User[] {
    return this.accountUsers
      .where(row => row.accountId === accountId)
      .map(row => this.users.get(row.userId))
      .filter((user): user is User => user !== undefined);
  }

  inbox(accountId: number, id: number | null): Inbox | undefined {
    const inbox = this.inboxes.get(id);
    return inbox?.accountId === accountId ? inbox : undefined;
  }

  inboxesOf(accountId: number): Inbox[] {
    return this.inboxes.where(inbox => inbox.accountId === accountId);
  }

  conversation(accountId: number, displayId: number): Conversation | undefined {
    return this.conversations.find(row => row.accountId === accountId && row.displayId === displayId);
  }

  addMessage(message: Message): void {
    this.messages.insert(message.id, message);
    const siblings = this.messagesOf.get(message.conversationRowId);
    if (siblings) siblings.push(message);
    else this.messagesOf.set(message.conversationRowId, [message]);
  }

  /** Returns the messages by creation time, then by id: the database's default order. */
  messagesIn(conversation: Conversation): Message[] {
    const messages = this.messagesOf.get(conversation.rowId) ?? [];
    return messages.slice().sort((a, b) => a.createdAt - b.createdAt || a.id - b.id);
  }

  lastMessage(conversation: Conversation, matches: (message: Message) => boolean): Message | undefined {
    return this.messagesIn(conversation).reverse().find(matches);
  }

  deleteConversation(conversation: Conversation): void {
    for (const message of this.messagesOf.get(conversation.rowId) ?? []) this.messages.delete(message.id);
    this.messagesOf.delete(conversation.rowId);
    this.conversations.delete(conversation.rowId);
  }
}
