import { ProviderAuthError } from '../../core/errors';
import type { ChangedConversations, ChangedPage, ShownConversation } from '../../core/ports/support-provider';
import type { Connect } from './connection';
import { isKnownStatus, viewOf } from './conversation';
import { demoted } from './errors';
import { idIn, listIn, type WireConversation, type WireProfile } from './wire';

const PAGE = 25;

/** A row in a status that we do not know says nothing, and keeps nobody from the others. */
function shownBy(row: WireConversation, botUserId: number | undefined, agentBotId: number | undefined): [string, ShownConversation][] {
  if (!isKnownStatus(row.status) || row.meta === undefined) return [];
  const { status, agent, teamId } = viewOf(row, botUserId, agentBotId);
  const idOf = (message: { readonly id: number } | null | undefined): string | null => (message == null ? null : String(message.id));
  return [[String(row.id), { state: { status, agentId: agent?.externalId ?? null, teamId }, lastMessageId: idOf(row.messages?.at(-1)), lastSaidId: idOf(row.last_non_activity_message) }]];
}

/**
 * Which conversations of an account changed lately. Newest activity first: while one pages, conversations move to pages
 * that were read already, never behind.
 *
 * That `updated_within` heeds `page` is not established. So the last full page of each account is remembered, and one
 * that brings nothing which was not on it is the last: a server that answers the same again and again is asked twice.
 */
export class ChangedLately {
  private readonly lastPages = new Map<string, { readonly page: number; readonly ids: ReadonlySet<string> }>();

  constructor(private readonly connect: Connect) {}

  async page({ access, withinMs, page }: ChangedConversations, signal: AbortSignal): Promise<ChangedPage> {
    const { user, account, botUserId, settings } = this.connect(access);
    const within = Math.max(1, Math.ceil(withinMs / 1000));
    const { data } = await user.json({ method: 'GET', path: `${account}/conversations?status=all&updated_within=${within}&page=${page}` }, signal) as { data?: { payload?: unknown } };
    const rows = listIn<WireConversation>(data?.payload, 'conversations');
    // Nothing is also what a user without the role is shown, on any page.
    if (rows.length === 0) {
      const profile = await user.json({ method: 'GET', path: '/api/v1/profile' }, signal) as WireProfile;
      const role = profile.accounts?.find(({ id }) => String(id) === access.externalId)?.role;
      if (role !== 'administrator')
        throw new ProviderAuthError(`Chatwoot shows no conversations, because ${demoted(user.caller)}`);
    }
    const conversationIds = rows.map((row) => idIn(row, 'conversation'));
    const endUsers = new Map(rows.flatMap(({ id, inbox_id: inboxId, meta }) => {
      const sessionId = meta?.sender?.identifier;
      return sessionId ? [[String(id), { inboxId: String(inboxId), sessionId }] as const] : [];
    }));
    const shown = new Map(rows.flatMap((row) => shownBy(row, botUserId, settings.agentBotId)));
    return { conversationIds, endUsers, shown, more: rows.length === PAGE && this.bringsNews(access.accountId, page, conversationIds) };
  }

  /** Remembers a full page, until one of its look is the last. */
  private bringsNews(accountId: string, page: number, ids: readonly string[]): boolean {
    const before = this.lastPages.get(accountId);
    this.lastPages.delete(accountId);
    if (before?.page === page - 1 && ids.every((id) => before.ids.has(id))) return false;
    this.lastPages.set(accountId, { page, ids: new Set(ids) });
    return true;
  }
}
