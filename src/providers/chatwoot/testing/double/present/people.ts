import { availabilityOf } from '../domain/presence';
import { iso, seconds } from './times';
import type { Account, AccountUser, AgentBot, Contact, ContactInbox, Inbox, Json, User } from '../model';
import type { World } from '../world';

const availableName = (user: User) => user.displayName || user.name;

/** Renders a user for lists of agents, members and assignees. */
export function agent(world: World, accountId: number, user: User): Json {
  const membership = world.store.accountUser(accountId, user.id);
  return {
    id: user.id,
    account_id: accountId,
    availability_status: availabilityOf(user, membership),
    auto_offline: membership?.autoOffline ?? true,
    confirmed: user.confirmed,
    email: user.email,
    provider: 'email',
    available_name: availableName(user),
    ...(Object.keys(user.customAttributes).length > 0 ? { custom_attributes: user.customAttributes } : {}),
    name: user.name,
    role: membership?.role ?? null,
    thumbnail: '',
    custom_role_id: null,
  };
}

/**
 * Renders a user as the sender of a message. Jobs and the public API have no current account, so the user has no
 * availability there.
 */
export function sendingUser(world: World, user: User, inAccount: number | null): Json {
  return {
    id: user.id,
    name: user.name,
    available_name: availableName(user),
    avatar_url: '',
    type: 'user',
    availability_status: inAccount === null ? null : availabilityOf(user, world.store.accountUser(inAccount, user.id)),
    thumbnail: '',
  };
}

export function sendingBot(bot: AgentBot): Json {
  return { id: bot.id, name: bot.name, avatar_url: '', type: 'agent_bot' };
}

export function sendingContact(contact: Contact): Json {
  return {
    additional_attributes: contact.additionalAttributes,
    custom_attributes: contact.customAttributes,
    email: contact.email,
    id: contact.id,
    identifier: contact.identifier,
    name: contact.name,
    phone_number: contact.phoneNumber,
    thumbnail: '',
    blocked: contact.blocked,
    type: 'contact',
  };
}

/** Renders a contact for contact calls. `withInboxes` adds its contact inboxes. */
export function contact(world: World, row: Contact, withInboxes: boolean): Json {
  return {
    additional_attributes: row.additionalAttributes,
    availability_status: 'offline',
    email: row.email,
    id: row.id,
    name: row.name,
    phone_number: row.phoneNumber,
    blocked: row.blocked,
    identifier: row.identifier,
    thumbnail: '',
    custom_attributes: row.customAttributes,
    ...(row.lastActivityAt === null ? {} : { last_activity_at: seconds(row.lastActivityAt) }),
    created_at: seconds(row.createdAt),
    ...(withInboxes
      ? {
          contact_inboxes: world.store.contactInboxes
            .where(link => link.contactId === row.id)
            .map(link => contactInbox(world, link)),
        }
      : {}),
  };
}

export function contactInbox(world: World, link: ContactInbox): Json {
  const inbox = world.store.inboxes.get(link.inboxId);
  return { source_id: link.sourceId, inbox: inbox ? slimInbox(inbox) : null };
}

function slimInbox(inbox: Inbox): Json {
  return {
    id: inbox.id,
    avatar_url: '',
    channel_id: inbox.channelId,
    name: inbox.name,
    channel_type: 'Channel::Api',
    provider: null,
  };
}

/** Renders the contact's row without additions, as the public API does. */
export function rawContact(row: Contact): Json {
  const known = row.email || row.phoneNumber;
  return {
    id: row.id,
    name: row.name,
    email: row.email,
    phone_number: row.phoneNumber,
    account_id: row.accountId,
    created_at: iso(row.createdAt),
    updated_at: iso(row.updatedAt),
    additional_attributes: row.additionalAttributes,
    identifier: row.identifier,
    custom_attributes: row.customAttributes,
    last_activity_at: row.lastActivityAt === null ? null : iso(row.lastActivityAt),
    contact_type: known ? 'lead' : 'visitor',
    middle_name: '',
    last_name: '',
    location: row.additionalAttributes['city'] ?? null,
    country_code: null,
    blocked: row.blocked,
    company_id: row.companyId,
    label_list: [],
  };
}

/** Renders a user for the Platform API, outside any account. */
export function platformUser(world: World, user: User, accounts: Json[] = []): Json {
  return {
    access_token: user.token,
    account_id: null,
    available_name: availableName(user),
    avatar_url: '',
    confirmed: user.confirmed,
    display_name: user.displayName,
    message_signature: null,
    email: user.email,
    id: user.id,
    name: user.name,
    provider: 'email',
    pubsub_token: user.pubsubToken,
    ...(Object.keys(user.customAttributes).length > 0 ? { custom_attributes: user.customAttributes } : {}),
    role: null,
    ui_settings: {},
    uid: user.email,
    accounts,
  };
}

/** Renders the user of `profile` and of sign-in, with all their accounts. */
export function profile(world: World, user: User): Json {
  const memberships = world.store.accountUsers.where(row => row.userId === user.id);
  const first = memberships[0];
  return {
    ...platformUser(
      world,
      user,
      memberships.map(row => profileAccount(world, user, row)),
    ),
    account_id: first?.accountId ?? null,
    inviter_id: first?.inviterId ?? null,
    role: first?.role ?? null,
    type: null,
  };
}

function profileAccount(world: World, user: User, membership: AccountUser): Json {
  const account = world.store.accounts.get(membership.accountId) as Account;
  return {
    id: account.id,
    name: account.name,
    status: account.status,
    active_at: null,
    role: membership.role,
    permissions: [membership.role],
    availability: membership.availability,
    availability_status: availabilityOf(user, membership),
    auto_offline: membership.autoOffline,
    custom_role_id: null,
    custom_role: null,
  };
}

export function accountUser(row: AccountUser): Json {
  return {
    id: row.id,
    account_id: row.accountId,
    user_id: row.userId,
    role: row.role,
    inviter_id: row.inviterId,
    created_at: iso(row.createdAt),
    updated_at: iso(row.updatedAt),
    active_at: null,
    availability: row.availability,
    auto_offline: row.autoOffline,
    custom_role_id: null,
    agent_capacity_policy_id: null,
  };
}
