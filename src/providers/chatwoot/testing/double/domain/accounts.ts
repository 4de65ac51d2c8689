import { deleteInbox } from './inboxes';
import type { Account } from '../model';
import type { World } from '../world';

export function deleteAccount(world: World, account: Account): void {
  const { store } = world;
  for (const inbox of store.inboxesOf(account.id)) deleteInbox(world, inbox);
  for (const table of [
    store.accountUsers,
    store.teams,
    store.agentBots,
    store.contacts,
    store.labels,
    store.webhooks,
  ]) {
    for (const row of table.all()) if (row.accountId === account.id) table.delete(row.id);
  }
  store.accounts.delete(account.id);
}
