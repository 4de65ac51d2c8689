/** A string id that the type checker distinguishes by its kind. At run time it is a plain string. */
export type Id<Kind extends string> = string & { readonly __id?: Kind };

/** Ids that other subgraphs own; this service only stores and returns them. */
export type OrganizationId = Id<'Organization'>;
export type ChatbotId = Id<'Chatbot'>;
export type UserId = Id<'User'>;

/** Ids of this service: UUIDs, opaque to every caller. */
export type AccountId = Id<'SupportAccount'>;
export type InboxId = Id<'SupportInbox'>;
export type TeamId = Id<'SupportTeam'>;
export type AgentId = Id<'SupportAgent'>;
export type SessionId = Id<'SupportSession'>;
export type HandoffId = Id<'Handoff'>;
export type MessageId = Id<'SupportMessage'>;
export type EndpointId = Id<'SupportRuntimeEndpoint'>;

/** Ids of a provider. Only the provider's own folder parses them. */
export type ProviderAccountId = Id<'ProviderAccountId'>;
export type ProviderInboxId = Id<'ProviderInboxId'>;
export type ProviderTeamId = Id<'ProviderTeamId'>;
export type ProviderAgentId = Id<'ProviderAgentId'>;
export type ProviderContactId = Id<'ProviderContactId'>;
export type ProviderConversationId = Id<'ProviderConversationId'>;
/**
 * An id that grows with every message of a conversation. Of two ids, the longer text is later; of equal lengths, the
 * one that sorts higher.
 */
export type ProviderMessageId = Id<'ProviderMessageId'>;

/** A time as RFC 3339 text in UTC with milliseconds, e.g. `2026-11-22T20:52:20.557Z`. */
export type Instant = string;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Returns whether a text could be one of our ids. Other texts are treated as unknown ids before they reach SQL. */
export const isUuid = (text: string): boolean => UUID.test(text);

/** Returns whether a message is `through` or earlier; false if `through` is null. See ProviderMessageId. */
export const isUpTo = (id: ProviderMessageId, through: ProviderMessageId | null): boolean =>
  through !== null && (id.length === through.length ? id <= through : id.length < through.length);
