/**
 * The optional features of a provider. A verb whose capability is false throws UnsupportedByProviderError, and the core
 * works without it: without teams it uses the inbox's own queue, without typing it shows none.
 */
export interface Capabilities {
  readonly teams: boolean;
  readonly priorities: boolean;
  readonly privateNotes: boolean;
  readonly attachments: boolean;
  /** Whether agents can see that the end-user types. */
  readonly typing: boolean;
  /** Whether this service can create accounts and agents there; otherwise they must exist. */
  readonly createsAccounts: boolean;
  /** Whether this service can add agents, change their roles and remove them. */
  readonly managesAgents: boolean;
  /** Whether an inbox has its own members, and this service can set them. */
  readonly inboxMembers: boolean;
  /** Whether this service can create teams and set their members. */
  readonly managesTeams: boolean;
  /** Whether agents that this service created can sign in with a link. */
  readonly loginLinks: boolean;
  /** Whether this service can inspect what it created there, and repair it. */
  readonly inspectsDrift: boolean;
  /** The maximum length of one message's text, in UTF-16 code units. */
  readonly maxTextLength: number;
}
