import { ProviderAuthError } from '../../core/errors';
import type { AccountAccess } from '../../core/ports/provider/access';
import type { EnsuredInbox, EnsureInbox } from '../../core/ports/provider/setup-verbs';
import { numberOf, type Connect, type Connection } from './connection';
import { readId, type WireInbox } from './wire';

/** Data that the core stores for an inbox and passes with every call and webhook check. */
export interface InboxData {
  readonly inboxIdentifier: string | null;
  /** Signs this inbox's webhooks; null before Chatwoot 4.13. */
  readonly webhookSecret: string | null;
}

/** Settings of our inboxes besides name, webhook and agent bot. Only the chatbot may reply to the end-user. */
export const INBOX_SETTINGS = {
  /** If locked, a new session would continue in the conversation of the last one. */
  lock_to_single_conversation: false,
  greeting_enabled: false,
  // In Chatwoot 4.10 the round robin assigns an opened conversation to any online member of the inbox: it ignores the
  // requested team and replaces the requested agent. Teams have a setting of their own, which stays within the team.
  enable_auto_assignment: false,
  /** Outside of them Chatwoot would reply to end-users itself. */
  working_hours_enabled: false,
} as const;

/**
 * Settings of Chatwoot's automatic replies. If the chatbot's policy forwards these, they belong to the account's
 * agents.
 */
export const REPLY_SETTINGS: readonly (keyof typeof INBOX_SETTINGS)[] = ['greeting_enabled', 'working_hours_enabled'];

/** Returns the settings that this service controls. */
export const settingsFor = (allowsAutomaticReplies = false): Partial<typeof INBOX_SETTINGS> =>
  !allowsAutomaticReplies
    ? INBOX_SETTINGS
    : Object.fromEntries(
        Object.entries(INBOX_SETTINGS).filter(([key]) => !REPLY_SETTINGS.includes(key as keyof typeof INBOX_SETTINGS)),
      );

/** Returns whether a webhook's address belongs to this account: it contains the account's unique id. */
export const isOurWebhook = (
  { accountId }: Pick<AccountAccess, 'accountId'>,
  url: string | null | undefined,
): boolean => url?.includes(`/${accountId}/`) ?? false;

/**
 * Returns the change to an inbox's webhook. An address that cannot reach this service is removed: Chatwoot would mark
 * every message as failed, and send the texts to any other server at that address.
 */
function webhookPatch(
  access: AccountAccess,
  known: string | null | undefined,
): { readonly channel?: { readonly webhook_url: string | null } } {
  if (access.webhookUrl !== '')
    return known === access.webhookUrl ? {} : { channel: { webhook_url: access.webhookUrl } };
  return isOurWebhook(access, known) ? { channel: { webhook_url: null } } : {};
}

export async function ensureInbox(connect: Connect, request: EnsureInbox, signal: AbortSignal): Promise<EnsuredInbox> {
  const connection = connect(request.account);
  const found = await findInbox(connection, request, signal);
  const inbox = found
    ? await updateInbox(connection, found, request, signal)
    : await createInbox(connection, request, signal);
  await connectAgentBot(connection, readId(inbox, 'inbox'), signal);
  return toEnsuredInbox(inbox);
}

export function toEnsuredInbox(inbox: WireInbox): EnsuredInbox {
  const data: InboxData = { inboxIdentifier: inbox.inbox_identifier ?? null, webhookSecret: inbox.secret ?? null };
  return { externalId: readId(inbox, 'inbox'), providerData: { ...data } };
}

/** Reads an inbox with its secret, which the list of inboxes was never seen to contain. Undefined if it was deleted. */
export async function readInbox(
  { user, account }: Connection,
  externalId: string,
  signal: AbortSignal,
): Promise<WireInbox | undefined> {
  const answer = await user.request(
    { method: 'GET', path: `${account}/inboxes/${numberOf(externalId, 'inbox')}` },
    [404],
    signal,
  );
  return answer.status === 404 || answer.body === 'notJson' ? undefined : (answer.body.json as WireInbox);
}

/**
 * Returns the known inbox. If it is unknown or deleted, returns one that an earlier attempt created without recording
 * it.
 */
async function findInbox(
  connection: Connection,
  { externalId, inboxId }: EnsureInbox,
  signal: AbortSignal,
): Promise<WireInbox | undefined> {
  const known = externalId === null ? undefined : await readInbox(connection, externalId, signal);
  if (known) return known;
  const { payload } = (await connection.user.json(
    { method: 'GET', path: `${connection.account}/inboxes` },
    signal,
  )) as { payload?: readonly WireInbox[] };
  // An inbox that is being deleted may still be listed for a while.
  const made = payload?.find(
    inbox => inbox.additional_attributes?.['support_inbox_id'] === inboxId && String(inbox.id) !== externalId,
  );
  return made && readInbox(connection, readId(made, 'inbox'), signal);
}

async function createInbox(
  { user, account }: Connection,
  { name, inboxId, allowsAutomaticReplies, account: { webhookUrl } }: EnsureInbox,
  signal: AbortSignal,
): Promise<WireInbox> {
  return (await user.json(
    {
      method: 'POST',
      path: `${account}/inboxes`,
      body: {
        name,
        ...settingsFor(allowsAutomaticReplies),
        channel: {
          type: 'api',
          ...(webhookUrl && { webhook_url: webhookUrl }),
          additional_attributes: { support_inbox_id: inboxId },
        },
      },
    },
    signal,
  )) as WireInbox;
}

async function updateInbox(
  { user, account }: Connection,
  inbox: WireInbox,
  { name, account: access }: EnsureInbox,
  signal: AbortSignal,
): Promise<WireInbox> {
  const wanted = {
    ...(inbox.name !== name && { name }),
    ...webhookPatch(access, inbox.webhook_url),
    // Other settings that a person changed stay; this one would ignore the requested team or agent of a handoff.
    ...(inbox.enable_auto_assignment !== INBOX_SETTINGS.enable_auto_assignment && {
      enable_auto_assignment: INBOX_SETTINGS.enable_auto_assignment,
    }),
  };
  if (Object.keys(wanted).length === 0) return inbox;
  // Since 4.13 the response contains the secret too. Fields that it omits stay as they were read.
  return {
    ...inbox,
    ...((await user.json(
      { method: 'PATCH', path: `${account}/inboxes/${inbox.id}`, body: wanted },
      signal,
    )) as WireInbox),
  };
}

/** Connects our agent bot. Repeatable; restores a connection that was removed in Chatwoot. */
export async function connectAgentBot(
  { user, account, settings }: Connection,
  inboxId: string,
  signal: AbortSignal,
): Promise<void> {
  if (settings.agentBotId === undefined)
    throw new ProviderAuthError(
      'This Chatwoot account has no AgentBot yet. Enable support for the organization again.',
    );
  await user.json(
    { method: 'POST', path: `${account}/inboxes/${inboxId}/set_agent_bot`, body: { agent_bot: settings.agentBotId } },
    signal,
  );
}
