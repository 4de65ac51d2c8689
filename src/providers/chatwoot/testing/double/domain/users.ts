import { randomBytes } from 'node:crypto';
import { asObject, asText } from '../http/call';
import { refuse } from '../http/replies';
import { newToken } from '../tokens';
import type { AccountUser, Json, User } from '../model';
import type { World } from '../world';

const LONGEST_NAME = 255;
/** On a real server a link was valid after 192 s and not after 319 s. */
const LINK_LASTS_MS = 300_000;

const PASSWORD_RULES: Array<[rule: RegExp, text: string]> = [
  [/^.{6,}$/s, 'Password must contain at least 6 characters'],
  [/[A-Z]/, 'Password must contain at least 1 uppercase character  (A..Z)'],
  [/[a-z]/, 'Password must contain at least 1 lowercase character  (a..z)'],
  [/[0-9]/, 'Password must contain at least 1 number character  (0..9)'],
  [/[!@#$%^&*()_+\-=[\]{}|']/, "Password must contain at least 1 special character  (!@#$%^&*()_+-=[]{}|')"],
];

export function createUser(world: World, params: Json, rules: { confirmed: boolean; passwordRequired: boolean }): User {
  const email = asText(params['email'])?.toLowerCase() ?? '';
  const password = asText(params['password']);
  if (!email) throw refuse.invalid("Email can't be blank", ['email']);
  if (!/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(email))
    throw refuse.invalid('Email is invalid, Email is not an email', ['email']);
  if (rules.passwordRequired) {
    const broken = PASSWORD_RULES.filter(([rule]) => !rule.test(password ?? ''));
    if (broken.length > 0) throw refuse.invalid(broken.map(([, text]) => text).join(', '), ['password']);
  }
  const name = asText(params['name']);
  if (name?.includes('\0')) throw refuse.crash();
  if (name !== null && [...name].length > LONGEST_NAME)
    throw refuse.invalid(`Name is too long (maximum is ${LONGEST_NAME} characters)`, ['name']);
  if (name === '' && world.features.userNameRequired) throw refuse.invalid("Name can't be blank", ['name']);
  const id = world.store.users.nextId();
  return world.store.users.insert(id, {
    id,
    name: name ?? email.split('@')[0] ?? '',
    displayName: asText(params['display_name']),
    email,
    password,
    confirmed: rules.confirmed,
    customAttributes: asObject(params['custom_attributes']),
    token: newToken(),
    pubsubToken: newToken(),
    ssoTokens: new Map(),
    connected: false,
  });
}

/** Creates a login link's token: one sign-in without a password within about five minutes. Other tokens stay valid. */
export function newUserToken(user: User, now: number): string {
  const token = randomBytes(32).toString('hex');
  user.ssoTokens.set(token, now);
  return token;
}

/** Redeems a login link's token. Returns false if it was used before or is too old. */
export function takeUserToken(user: User, token: string, now: number): boolean {
  const madeAt = user.ssoTokens.get(token);
  user.ssoTokens.delete(token);
  return madeAt !== undefined && now - madeAt <= LINK_LASTS_MS;
}

/** Removes a user from an account. Their conversations lose the assignee without any notification. */
export function removeFromAccount(world: World, membership: AccountUser): void {
  const { store } = world;
  const { accountId, userId } = membership;
  store.accountUsers.delete(membership.id);
  for (const row of store.conversations.where(one => one.accountId === accountId && one.assigneeId === userId))
    row.assigneeId = null;
  for (const inbox of store.inboxesOf(accountId)) {
    inbox.memberIds = inbox.memberIds.filter(id => id !== userId);
    inbox.turn = inbox.turn.filter(id => id !== userId);
  }
  for (const team of store.teams.where(row => row.accountId === accountId))
    team.memberIds = team.memberIds.filter(id => id !== userId);
}

export function removeUser(world: World, user: User): void {
  for (const membership of world.store.accountUsers.where(row => row.userId === user.id))
    removeFromAccount(world, membership);
  world.store.users.delete(user.id);
}
