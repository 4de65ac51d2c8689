/** The Chatwoot releases that the double can imitate. */
export type ChatwootVersion = '3.16' | '4.10' | '4.14';

/** Token of the Platform App that every new double knows. For tests and local work only. */
export const DEV_PLATFORM_TOKEN = 'dev-platform-token-00000';

export interface ChatwootDoubleOptions {
  /** 0 (the default) uses any free port. */
  port?: number;
  version?: ChatwootVersion;
  platformToken?: string;
  /** The double's clock. Message times and rate limits use it. */
  clock?: () => Date;
  /** How long a webhook's receiver may take until the first byte of its response. */
  webhookTimeoutMs?: number;
  /** How many webhooks are sent at once; the others wait (Sidekiq's threads). */
  webhookThreads?: number;
  /** Delay between a change and its activity line; 0 writes it before the response. */
  activityDelayMs?: number;
  /** How long a deletion of an inbox, contact or account takes. */
  deletionDelayMs?: number;
  /** Delay between a contact's new e-mail and the lookup of its avatar. */
  avatarSyncDelayMs?: number;
  messagesPerMinute?: number;
  requestsPerMinute?: number;
  contactSearchesPerMinute?: number;
  signInsPerFiveMinutes?: number;
  /** A real server never limits 127.0.0.1. False limits it like any other address. */
  exemptLoopback?: boolean;
  /** 4.14: false refuses to send webhooks to private addresses. */
  allowPrivateNetwork?: boolean;
  /** 4.14: delays before an agent-bot webhook is retried after 429 or 500. */
  botRetryDelaysMs?: number[];
}

export type ResolvedOptions = Required<ChatwootDoubleOptions>;

export function resolveOptions(options: ChatwootDoubleOptions): ResolvedOptions {
  return {
    port: 0,
    version: '4.10',
    platformToken: DEV_PLATFORM_TOKEN,
    clock: () => new Date(),
    webhookTimeoutMs: 5000,
    webhookThreads: 10,
    activityDelayMs: 10,
    deletionDelayMs: 20,
    avatarSyncDelayMs: 30_000,
    messagesPerMinute: 200,
    requestsPerMinute: 3000,
    contactSearchesPerMinute: 100,
    signInsPerFiveMinutes: 5,
    exemptLoopback: true,
    allowPrivateNetwork: true,
    botRetryDelaysMs: [3400, 7300],
    ...Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
  };
}

/** The differences between the releases, one flag per observable change (CONTRACT §10). */
export interface Features {
  release: string;
  conversationUpdatedAt: boolean;
  messageStatusUpdates: boolean;
  typingWebhooks: boolean;
  botMaySetCustomAttributes: boolean;
  botMayType: boolean;
  /** Reading a conversation, and reading and setting its labels. */
  botMayReadConversations: boolean;
  accountInConversationEvents: boolean;
  agentNameFromEmail: boolean;
  userNameRequired: boolean;
  onlyAdministratorsDefineAttributes: boolean;
  conversationDeletion: boolean;
  platformUserToken: boolean;
  renderedWebhookContent: boolean;
  platformAccountList: boolean;
  botFailureOpens: boolean;
  publicListsStayInInbox: boolean;
  agentBotAssignee: boolean;
  teamMembersMayAccess: boolean;
  webhookNames: boolean;
  botRepliesClearWaiting: boolean;
  signedWebhooks: boolean;
  botRetries: boolean;
  botHearsUpdates: boolean;
  webhookRedirects: boolean;
  ssrfGuard: boolean;
  attachmentDetails: boolean;
  botOutgoingUrlInPlatform: boolean;
  teamBoundAssignment: boolean;
  secretRotation: boolean;
}

const RELEASES: Record<ChatwootVersion, { release: string; number: number }> = {
  '3.16': { release: '3.16.0', number: 316 },
  '4.10': { release: '4.10.0', number: 410 },
  '4.14': { release: '4.14.2', number: 414 },
};

export function featuresOf(version: ChatwootVersion): Features {
  const { release, number } = RELEASES[version];
  const since = (first: number) => number >= first;
  return {
    release,
    conversationUpdatedAt: since(400),
    messageStatusUpdates: since(402),
    typingWebhooks: since(402),
    botMaySetCustomAttributes: since(402),
    botMayType: since(412),
    botMayReadConversations: since(414),
    accountInConversationEvents: since(414),
    agentNameFromEmail: since(414),
    userNameRequired: since(414),
    onlyAdministratorsDefineAttributes: since(414),
    conversationDeletion: since(403),
    platformUserToken: since(403),
    renderedWebhookContent: since(404) && !since(413),
    platformAccountList: since(405),
    botFailureOpens: since(407),
    publicListsStayInInbox: since(407),
    agentBotAssignee: since(408),
    teamMembersMayAccess: since(408),
    webhookNames: since(408),
    botRepliesClearWaiting: since(410),
    signedWebhooks: since(413),
    botRetries: since(412),
    botHearsUpdates: since(413),
    webhookRedirects: since(413),
    ssrfGuard: since(414),
    attachmentDetails: since(413),
    botOutgoingUrlInPlatform: since(413),
    teamBoundAssignment: since(412),
    secretRotation: since(413),
  };
}
