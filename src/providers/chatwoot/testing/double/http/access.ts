import { accountOf, asId, isAdministrator, type Actor, type Call } from './call';
import { refuse } from './replies';
import type { Route } from './router';
import type { Contact, Conversation, Inbox } from '../model';

/** Admits or refuses a call, and records its caller and account on it. */
export function admit(call: Call, { rules }: Route): void {
  if (rules.area === 'open') return;
  if (rules.area === 'platform') {
    admitPlatformApp(call);
    return;
  }
  call.actor = actorOf(call);
  if (call.actor.kind === 'platform') throw refuse.notForBots();
  const botMay = typeof rules.bot === 'function' ? rules.bot(call) : rules.bot === true;
  if (call.actor.kind === 'bot' && !botMay) throw refuse.notForBots();
  if (rules.area === 'account') admitToAccount(call, call.actor);
  if (rules.admin && !isAdministrator(call)) throw refuse.notAllowed();
}

function admitPlatformApp(call: Call): void {
  const token = tokenOf(call);
  const app = token === undefined ? undefined : call.world.store.platformApps.find(row => row.token === token);
  if (!app) throw refuse.unknownPlatformToken();
  call.actor = { kind: 'platform', app };
}

/** Both spellings work. Proxies drop the one with underscores. */
const tokenOf = (call: Call) => call.headers['api_access_token'] ?? call.headers['api-access-token'];

function actorOf(call: Call): Actor {
  const { store } = call.world;
  const token = tokenOf(call);
  if (token === undefined) {
    const session = store.sessions.get(call.headers['client'] ?? '');
    const user =
      session && session.token === call.headers['access-token'] ? store.users.get(session.userId) : undefined;
    if (!user) throw refuse.notSignedIn();
    return { kind: 'user', user };
  }
  const user = store.users.find(row => row.token === token);
  if (user) return { kind: 'user', user };
  const bot = store.agentBots.find(row => row.token === token);
  if (bot) return { kind: 'bot', bot };
  const app = store.platformApps.find(row => row.token === token);
  if (app) return { kind: 'platform', app };
  throw refuse.unknownToken();
}

function admitToAccount(call: Call, actor: Actor): void {
  const account = call.world.store.accounts.get(asId(call.at['accountId']));
  if (!account) throw refuse.absent();
  if (account.status === 'suspended') throw refuse.suspended();
  call.account = account;
  if (actor.kind === 'user') {
    call.membership = call.world.store.accountUser(account.id, actor.user.id);
    if (!call.membership) throw refuse.notInAccount();
  } else if (actor.kind === 'bot' && actor.bot.accountId !== account.id) {
    throw refuse.notInAccount();
  }
}

export const callingUser = (call: Call) => (call.actor?.kind === 'user' ? call.actor.user : undefined);

/**
 * Returns whether the caller may use an inbox. Administrators and bots may use every inbox of the account, agents only
 * theirs.
 */
export function mayUseInbox(call: Call, inbox: Inbox): boolean {
  if (isAdministrator(call) || call.actor?.kind === 'bot') return true;
  const user = callingUser(call);
  return user !== undefined && inbox.memberIds.includes(user.id);
}

/**
 * Returns whether the caller may use a conversation. Since 4.8 its team's members may, too. Being its assignee grants
 * nothing.
 */
export function mayUseConversation(call: Call, row: Conversation): boolean {
  const { store, features } = call.world;
  const inbox = store.inboxes.get(row.inboxId);
  if (inbox && mayUseInbox(call, inbox)) return true;
  const user = callingUser(call);
  const team = features.teamMembersMayAccess ? store.teams.get(row.teamId) : undefined;
  return user !== undefined && team !== undefined && team.memberIds.includes(user.id);
}

/**
 * Returns the call's conversation.
 * @throws 404 if it is not in the account, 401 if the caller may not use it
 */
export function conversationOf(call: Call): Conversation {
  const row = call.world.store.conversation(accountOf(call).id, asId(call.at['conversationId']) ?? 0);
  if (!row) throw refuse.absent();
  if (!mayUseConversation(call, row)) throw refuse.notAllowed();
  return row;
}

export function inboxAt(call: Call, id: unknown): Inbox {
  const inbox = call.world.store.inbox(accountOf(call).id, asId(id) ?? 0);
  if (!inbox) throw refuse.absent();
  return inbox;
}

export function usableInboxAt(call: Call, id: unknown): Inbox {
  const inbox = inboxAt(call, id);
  if (!mayUseInbox(call, inbox)) throw refuse.notAllowed();
  return inbox;
}

export function contactAt(call: Call, id: unknown): Contact {
  const row = call.world.store.contacts.get(asId(id));
  if (!row || row.accountId !== accountOf(call).id) throw refuse.absent();
  return row;
}
