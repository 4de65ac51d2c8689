import { ProviderAuthError } from '../../core/errors';
import type { ChangedConversations, ChangedPage, ConversationHint } from '../../core/ports/provider/read-verbs';
import type { Connect } from './connection';
import { isKnownStatus, viewOf } from './conversation';
import { demotedReason } from './errors';
import { readId, readList, type WireConversation, type WireProfile } from './wire';

/**
 * Returns the state hint of a listed conversation. A row with an unknown status gives none and does not affect the
 * other rows.
 */
function hintsOfRow(
  row: WireConversation,
  botUserId: number | undefined,
  agentBotId: number | undefined,
): [string, ConversationHint][] {
  if (!isKnownStatus(row.status) || row.meta === undefined) return [];
  const { status, agent, teamId } = viewOf(row, botUserId, agentBotId);
  const idOf = (message: { readonly id: number } | null | undefined): string | null =>
    message == null ? null : String(message.id);
  return [
    [
      String(row.id),
      {
        state: { status, agentId: agent?.externalId ?? null, teamId },
        lastMessageId: idOf(row.messages?.at(-1)),
        lastAuthoredId: idOf(row.last_non_activity_message),
      },
    ],
  ];
}

/**
 * Returns the conversations of an account that changed lately, all in one page. `updated_within` returns all at once
 * and ignores `page` (CONTRACT section 2, measured on 4.10 and 4.14).
 * @throws ProviderAuthError if the list is empty because our user lost the administrator role
 */
export async function listChangedConversations(
  connect: Connect,
  { access, withinMs }: ChangedConversations,
  signal: AbortSignal,
): Promise<ChangedPage> {
  const { user, account, botUserId, settings } = connect(access);
  // Zero would match nothing.
  const within = Math.max(1, Math.ceil(withinMs / 1000));
  const { data } = (await user.json(
    { method: 'GET', path: `${account}/conversations?status=all&updated_within=${within}` },
    signal,
  )) as { data?: { payload?: unknown } };
  const rows = readList<WireConversation>(data?.payload, 'conversations');
  // A user without the role gets an empty list, too.
  if (rows.length === 0) {
    const profile = (await user.json({ method: 'GET', path: '/api/v1/profile' }, signal)) as WireProfile;
    const role = profile.accounts?.find(({ id }) => String(id) === access.externalId)?.role;
    if (role !== 'administrator')
      throw new ProviderAuthError(`Chatwoot shows no conversations, because ${demotedReason(user.caller)}`);
  }
  const endUsers = new Map(
    rows.flatMap(({ id, inbox_id: inboxId, meta }) => {
      const sessionId = meta?.sender?.identifier;
      return sessionId ? [[String(id), { inboxId: String(inboxId), sessionId }] as const] : [];
    }),
  );
  const shown = new Map(rows.flatMap(row => hintsOfRow(row, botUserId, settings.agentBotId)));
  return { conversationIds: rows.map(row => readId(row, 'conversation')), endUsers, hints: shown, hasMore: false };
}
