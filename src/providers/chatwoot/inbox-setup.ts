import { ProviderAuthError } from '../../core/errors';
import type { AccountAccess, EnsuredInbox, EnsureInbox } from '../../core/ports/support-provider';
import { numberOf, type Connect, type Connection } from './connection';
import { idIn, type WireInbox } from './wire';

/** What we want back on every call for an inbox, and for checking its webhooks. */
export interface InboxData {
  readonly inboxIdentifier: string | null;
  /** Signs this inbox's webhooks; null before Chatwoot 4.13. */
  readonly webhookSecret: string | null;
}

/** How an inbox of ours should be beside its name, webhook and agent bot; what the end-user hears comes from the chatbot alone. */
export const INBOX_SETTINGS = {
  /** Locked, a new Session would go on in the last one's conversation. */
  lock_to_single_conversation: false,
  greeting_enabled: false,
  // Chatwoot 4.10's round robin gives an opened conversation to any online member of the inbox: past the team that was
  // asked for, and in place of the agent who was. Teams have their own switch, which keeps within the team.
  enable_auto_assignment: false,
  /** Outside of them Chatwoot would answer end-users itself. */
  working_hours_enabled: false,
} as const;

/** What Chatwoot may say by itself where the chatbot's policy sends it on: then it is its people's to set. */
export const REPLY_SETTINGS: readonly (keyof typeof INBOX_SETTINGS)[] = ['greeting_enabled', 'working_hours_enabled'];

/** The settings that are ours to want. */
export const settingsFor = (repliesByItself = false): Partial<typeof INBOX_SETTINGS> =>
  (!repliesByItself ? INBOX_SETTINGS : Object.fromEntries(Object.entries(INBOX_SETTINGS).filter(([key]) => !REPLY_SETTINGS.includes(key as keyof typeof INBOX_SETTINGS))));

/** Whether a webhook's address is one of this account's: its id is nobody else's. */
export const isOurWebhook = ({ accountId }: Pick<AccountAccess, 'accountId'>, url: string | null | undefined): boolean => url?.includes(`/${accountId}/`) ?? false;

/**
 * What to change about an inbox's webhook. One that cannot reach us goes: every message would be shown as failed, and what
 * was said posted to whoever answers there.
 */
function webhookChange(access: AccountAccess, known: string | null | undefined): { readonly channel?: { readonly webhook_url: string | null } } {
  if (access.webhookUrl !== '') return known === access.webhookUrl ? {} : { channel: { webhook_url: access.webhookUrl } };
  return isOurWebhook(access, known) ? { channel: { webhook_url: null } } : {};
}

export async function ensureInbox(connect: Connect, request: EnsureInbox, signal: AbortSignal): Promise<EnsuredInbox> {
  const connection = connect(request.account);
  const found = await findInbox(connection, request, signal);
  const inbox = found ? await bringUpToDate(connection, found, request, signal) : await makeInbox(connection, request, signal);
  await connectBot(connection, idIn(inbox, 'inbox'), signal);
  return ensuredFrom(inbox);
}

export function ensuredFrom(inbox: WireInbox): EnsuredInbox {
  const data: InboxData = { inboxIdentifier: inbox.inbox_identifier ?? null, webhookSecret: inbox.secret ?? null };
  return { externalId: idIn(inbox, 'inbox'), providerData: { ...data } };
}

/** With its secret, which the list of inboxes was never seen to hold. Undefined: it was deleted. */
export async function readInbox({ user, account }: Connection, externalId: string, signal: AbortSignal): Promise<WireInbox | undefined> {
  const answer = await user.answer({ method: 'GET', path: `${account}/inboxes/${numberOf(externalId, 'inbox')}` }, [404], signal);
  return answer.status === 404 || answer.body === 'notJson' ? undefined : (answer.body.json as WireInbox);
}

/** The known one; where there is none, or it was deleted, one that an earlier try made without living to tell. */
async function findInbox(connection: Connection, { externalId, inboxId }: EnsureInbox, signal: AbortSignal): Promise<WireInbox | undefined> {
  const known = externalId === null ? undefined : await readInbox(connection, externalId, signal);
  if (known) return known;
  const { payload } = await connection.user.json({ method: 'GET', path: `${connection.account}/inboxes` }, signal) as { payload?: readonly WireInbox[] };
  // One that is being deleted may be listed for a while yet.
  const made = payload?.find((inbox) => inbox.additional_attributes?.['support_inbox_id'] === inboxId && String(inbox.id) !== externalId);
  return made && readInbox(connection, idIn(made, 'inbox'), signal);
}

async function makeInbox({ user, account }: Connection, { name, inboxId, repliesByItself, account: { webhookUrl } }: EnsureInbox, signal: AbortSignal): Promise<WireInbox> {
  return await user.json({
    method: 'POST', path: `${account}/inboxes`,
    body: {
      name, ...settingsFor(repliesByItself),
      channel: { type: 'api', ...(webhookUrl && { webhook_url: webhookUrl }), additional_attributes: { support_inbox_id: inboxId } },
    },
  }, signal) as WireInbox;
}

async function bringUpToDate({ user, account }: Connection, inbox: WireInbox, { name, account: access }: EnsureInbox, signal: AbortSignal): Promise<WireInbox> {
  const wanted = {
    ...(inbox.name !== name && { name }),
    ...webhookChange(access, inbox.webhook_url),
    // Beside these a person's changes stay; but this one takes handoffs past the team or agent that was asked for.
    ...(inbox.enable_auto_assignment !== INBOX_SETTINGS.enable_auto_assignment && { enable_auto_assignment: INBOX_SETTINGS.enable_auto_assignment }),
  };
  if (Object.keys(wanted).length === 0) return inbox;
  // From 4.13 on the answer has the secret too; what it leaves out stays as it was read.
  return { ...inbox, ...await user.json({ method: 'PATCH', path: `${account}/inboxes/${inbox.id}`, body: wanted }, signal) as WireInbox };
}

/** Repeatable, and sets right what somebody may have disconnected. */
export async function connectBot({ user, account, settings }: Connection, inboxId: string, signal: AbortSignal): Promise<void> {
  if (settings.agentBotId === undefined) throw new ProviderAuthError('This Chatwoot account has no AgentBot yet. Enable support for the organization again.');
  await user.json({ method: 'POST', path: `${account}/inboxes/${inboxId}/set_agent_bot`, body: { agent_bot: settings.agentBotId } }, signal);
}
