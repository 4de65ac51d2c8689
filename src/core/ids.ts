/** A string that the type checker keeps apart from other ids; at run time it is just the string. */
export type Id<Kind extends string> = string & { readonly __id?: Kind };

/** Owned by other subgraphs; we only carry them. */
export type OrganizationId = Id<'Organization'>;
export type ChatbotId = Id<'Chatbot'>;
export type UserId = Id<'User'>;

/** Ours: UUIDs, opaque to every caller. */
export type AccountId = Id<'SupportAccount'>;
export type InboxId = Id<'SupportInbox'>;
export type TeamId = Id<'SupportTeam'>;
export type AgentId = Id<'SupportAgent'>;
export type SessionId = Id<'SupportSession'>;
export type HandoffId = Id<'Handoff'>;
export type MessageId = Id<'SupportMessage'>;
export type EndpointId = Id<'SupportRuntimeEndpoint'>;

/** Opaque outside the provider's own folder: nobody else parses them. */
export type ProviderAccountId = Id<'ProviderAccountId'>;
export type ProviderInboxId = Id<'ProviderInboxId'>;
export type ProviderTeamId = Id<'ProviderTeamId'>;
export type ProviderAgentId = Id<'ProviderAgentId'>;
export type ProviderContactId = Id<'ProviderContactId'>;
export type ProviderConversationId = Id<'ProviderConversationId'>;
/** Rises with every message of a conversation: of two, the longer text is the later one, and of equal lengths the one that sorts higher. */
export type ProviderMessageId = Id<'ProviderMessageId'>;

/** A moment as RFC 3339 text in UTC with milliseconds, e.g. `2026-11-22T20:52:20.557Z`. */
export type Instant = string;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether a text could be one of our ids. Anything else is answered as an unknown id, before SQL sees it. */
export const isUuid = (text: string): boolean => UUID.test(text);

/** Whether a message is `through` or comes before it; none is where `through` is null. See ProviderMessageId. */
export const isUpTo = (id: ProviderMessageId, through: ProviderMessageId | null): boolean =>
  through !== null && (id.length === through.length ? id <= through : id.length < through.length);
