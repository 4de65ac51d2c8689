import type { Observation, ListMessages, ObservationPage } from '../../core/ports/provider/observation';
import { ProviderRefusedError } from '../../core/errors';
import { requireAccount, instant, isDeskId, type Query } from './database';
import { attachmentsOf } from './messages';

const PAGE = 100;

/**
 * Returns one page of messages, by message id. No message becomes visible later with an id below the page's last one
 * (see `DeskMessageRow`), so the next page starts exactly there.
 */
export async function listMessages(query: Query, { conversation, after }: ListMessages): Promise<ObservationPage> {
  const {
    inbox: { account },
    conversationId,
  } = conversation;
  const accountId = await requireAccount(query, account);
  const { rows } = isDeskId(conversationId)
    ? await query(
        `
        select m.id, m.our_id, m.kind, m.visibility, m.agent_id, a.name as agent_name, m.text, m.created_at
        from desk_conversation c
          left join lateral (select * from desk_message where conversation_id = c.id and id > $3 order by id limit ${PAGE}) m on true
          left join desk_agent a on a.id = m.agent_id
        where c.id = $1 and c.account_id = $2 order by m.id`,
        [conversationId, accountId, after ?? '0'],
      )
    : { rows: [] };
  // A conversation without messages gives one row of nulls. No row means that there is no conversation.
  if (rows.length === 0) throw conversationGoneError();
  const found = rows.filter(row => row.id !== null);
  const files = await attachmentsOf(
    query,
    found.filter(row => row.agent_id !== null).map(row => row.id),
  );
  const origin = publicOrigin(account.baseUrl, account.webhookUrl);
  return {
    observations: found.map(row =>
      toObservation(
        row,
        (files.get(row.id) ?? []).map(({ url, name, contentType, sizeBytes }) => ({
          url: origin + url,
          name,
          contentType,
          sizeBytes,
        })),
      ),
    ),
    after: found.at(-1)?.id ?? after,
    hasMore: found.length === PAGE,
  };
}

/** Denies by default: only public speech that an agent wrote at the desk is for the end-user. */
function toObservation(
  row: Record<string, any>,
  attachments: Extract<Observation, { kind: 'agentMessage' }>['attachments'],
): Observation {
  const id = row.id as string;
  if (row.our_id !== null) return { kind: 'echo', id, ourId: row.our_id };
  if (row.kind !== 'SPEECH' || row.agent_id === null) return { kind: 'ignored', id, reason: 'activity' };
  const [agent, at] = [{ externalId: row.agent_id as string, name: row.agent_name as string }, instant(row.created_at)];
  if (row.visibility !== 'PUBLIC') return { kind: 'note', id, agent, at };
  return { kind: 'agentMessage', id, agent, text: row.text, attachments, at };
}

/**
 * Returns the origin for addresses of files: the account's base URL, else the origin of the webhook address, else
 * empty, which leaves a path below the service's root.
 */
function publicOrigin(baseUrl: string | null, webhookUrl: string): string {
  if (baseUrl !== null) return baseUrl.replace(/\/+$/, '');
  return webhookUrl === '' ? '' : new URL(webhookUrl).origin;
}

export const conversationGoneError = () =>
  new ProviderRefusedError('The desk no longer has this conversation; it was deleted.', { gone: true });
