import type { Store } from '../store';

/** The next ids, each higher than all before. If omitted, the sequence continues. */
export interface NextIds {
  user?: number;
  inbox?: number;
  agentBot?: number;
  message?: number;
  /** The number in addresses, in every existing account. */
  conversation?: number;
}

/** Sets the next ids, as on an installation that has used all lower ones. */
export function setNextIds(store: Store, { user, inbox, agentBot, message, conversation }: NextIds): void {
  if (user !== undefined) store.users.setNextId(user);
  if (inbox !== undefined) store.inboxes.setNextId(inbox);
  if (agentBot !== undefined) store.agentBots.setNextId(agentBot);
  if (message !== undefined) store.messages.setNextId(message);
  if (conversation === undefined) return;
  for (const account of store.accounts.all()) {
    if (conversation <= account.lastDisplayId)
      throw new Error(
        `The next conversation cannot be ${conversation}, because ${account.lastDisplayId} is already in use; give a higher number.`,
      );
    account.lastDisplayId = conversation - 1;
  }
}
