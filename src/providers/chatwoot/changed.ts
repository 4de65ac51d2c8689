import { ProviderAuthError } from '../../core/errors';
import type { ChangedConversations, ChangedPage } from '../../core/ports/support-provider';
import type { Connect } from './connection';
import { idIn, listIn, type WireConversation, type WireProfile } from './wire';

const PAGE = 25;

/** Newest activity first: while one pages, conversations move to pages that were read already, never behind. */
export async function changedConversations(connect: Connect, { access, withinMs, page }: ChangedConversations, signal: AbortSignal): Promise<ChangedPage> {
  const { user, account } = connect(access);
  const within = Math.max(1, Math.ceil(withinMs / 1000));
  const { data } = await user.json({ method: 'GET', path: `${account}/conversations?status=all&updated_within=${within}&page=${page}` }, signal) as { data?: { payload?: unknown } };
  const rows = listIn<WireConversation>(data?.payload, 'conversations');
  // Nothing is also what a user without the role is shown, on any page.
  if (rows.length === 0) {
    const profile = await user.json({ method: 'GET', path: '/api/v1/profile' }, signal) as WireProfile;
    const role = profile.accounts?.find(({ id }) => String(id) === access.externalId)?.role;
    if (role !== 'administrator')
      throw new ProviderAuthError('BotAgent1 is no longer an administrator of the Chatwoot account and is shown no conversations. Enable support for the organization again: it repairs this.');
  }
  return { conversationIds: rows.map((row) => idIn(row, 'conversation')), more: rows.length === PAGE };
}
