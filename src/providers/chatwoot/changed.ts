import { ProviderAuthError } from '../../core/errors';
import type { ChangedConversations, ChangedPage, ShownConversation } from '../../core/ports/support-provider';
import type { Connect } from './connection';
import { isKnownStatus, viewOf } from './conversation';
import { demoted } from './errors';
import { idIn, listIn, type WireConversation, type WireProfile } from './wire';

/** A row in a status that we do not know says nothing, and keeps nobody from the others. */
function shownBy(row: WireConversation, botUserId: number | undefined, agentBotId: number | undefined): [string, ShownConversation][] {
  if (!isKnownStatus(row.status) || row.meta === undefined) return [];
  const { status, agent, teamId } = viewOf(row, botUserId, agentBotId);
  const idOf = (message: { readonly id: number } | null | undefined): string | null => (message == null ? null : String(message.id));
  return [[String(row.id), { state: { status, agentId: agent?.externalId ?? null, teamId }, lastMessageId: idOf(row.messages?.at(-1)), lastSaidId: idOf(row.last_non_activity_message) }]];
}

/**
 * Which conversations of an account changed lately: one page, whatever page is asked for. `updated_within` answers them all at
 * once and ignores `page` (CONTRACT section 2, measured on 4.10 and 4.14).
 * @throws ProviderAuthError when there are none because our user lost the role
 */
export async function changedConversations(connect: Connect, { access, withinMs }: ChangedConversations, signal: AbortSignal): Promise<ChangedPage> {
  const { user, account, botUserId, settings } = connect(access);
  // Zero would match nothing.
  const within = Math.max(1, Math.ceil(withinMs / 1000));
  const { data } = await user.json({ method: 'GET', path: `${account}/conversations?status=all&updated_within=${within}` }, signal) as { data?: { payload?: unknown } };
  const rows = listIn<WireConversation>(data?.payload, 'conversations');
  // Nothing is also what a user without the role is shown.
  if (rows.length === 0) {
    const profile = await user.json({ method: 'GET', path: '/api/v1/profile' }, signal) as WireProfile;
    const role = profile.accounts?.find(({ id }) => String(id) === access.externalId)?.role;
    if (role !== 'administrator')
      throw new ProviderAuthError(`Chatwoot shows no conversations, because ${demoted(user.caller)}`);
  }
  const endUsers = new Map(rows.flatMap(({ id, inbox_id: inboxId, meta }) => {
    const sessionId = meta?.sender?.identifier;
    return sessionId ? [[String(id), { inboxId: String(inboxId), sessionId }] as const] : [];
  }));
  const shown = new Map(rows.flatMap((row) => shownBy(row, botUserId, settings.agentBotId)));
  return { conversationIds: rows.map((row) => idIn(row, 'conversation')), endUsers, shown, more: false };
}
