import type { Contact, Conversation, Json, Message, User } from './model';

/** `null` is sent with `conversation_status_changed`; `undefined` omits the key. */
export type Changes = Json[] | null | undefined;

/** Receives all events; its implementation decides who is notified. */
export interface Events {
  conversation(event: string, row: Conversation, changes?: Changes): void;
  message(event: string, row: Message): void;
  contact(event: string, row: Contact, changes?: Changes): void;
  /** A rule's own webhook, sent to an address of its own. */
  automation(url: string, body: () => Json): void;
  typing(on: boolean, row: Conversation, by: { user: User } | { contact: Contact }, isPrivate: boolean): void;
}
