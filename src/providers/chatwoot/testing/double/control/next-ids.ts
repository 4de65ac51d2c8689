import type { Store } from '../store';

/** Which numbers come next, each higher than all before. Left out: as it would be. */
export interface NextIds {
  user?: number;
  inbox?: number;
  agentBot?: number;
  message?: number;
  /** As addresses show it, in every account that there is. */
  conversation?: number;
}

/** As on an installation that has given all lower numbers to others. */
export function setNextIds(store: Store, { user, inbox, agentBot, message, conversation }: NextIds): void {
  if (user !== undefined) store.users.setNextId(user);
  if (inbox !== undefined) store.inboxes.setNextId(inbox);
  if (agentBot !== undefined) store.agentBots.setNextId(agentBot);
  if (message !== undefined) store.messages.setNextId(message);
  if (conversation === undefined) return;
  for (const account of store.accounts.all()) {
    if (conversation <= account.lastDisplayId) throw new Error(`the next conversation cannot be ${conversation}, because ${account.lastDisplayId} was given`);
    account.lastDisplayId = conversation - 1;
  }
}
