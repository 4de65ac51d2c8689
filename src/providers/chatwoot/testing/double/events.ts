import type { Contact, Conversation, Json, Message, User } from './model';

/** `null` is what `conversation_status_changed` says; `undefined` leaves the key out. */
export type Changes = Json[] | null | undefined;

/** Where whatever happens is told; who gets to hear of it is decided behind it. */
export interface Events {
  conversation(event: string, row: Conversation, changes?: Changes): void;
  message(event: string, row: Message): void;
  contact(event: string, row: Contact, changes?: Changes): void;
  /** A rule's own webhook, to an address of its own. */
  automation(url: string, body: () => Json): void;
  typing(on: boolean, row: Conversation, by: { user: User } | { contact: Contact }, isPrivate: boolean): void;
}
