import type { z } from 'zod';
import { statusAt } from '../conversation';
import { instant, instantOrNull, isDeskId, type Query } from '../database';
import { attachmentsOf } from '../messages';
import { content, notFoundError } from './http';
import type { listInput, threadInput } from './input';

const THREAD_PAGE = 100;
const PREVIEW = 140;

/** Every query here is scoped by `organizationId`: an id of another organization is an unknown id. */
export async function listAgents(query: Query, organizationId: string) {
  const { rows } = await query(
    `
    select g.id, g.name, g.email, g.role, coalesce(array_agg(m.team_id::text order by m.team_id) filter (where m.team_id is not null), '{}') as team_ids
    from desk_agent g join desk_account a on a.id = g.account_id left join desk_team_member m on m.agent_id = g.id
    where a.organization_id = $1 and g.kind = 'PERSON' group by g.id order by g.name, g.id`,
    [organizationId],
  );
  return rows.map(({ id, name, email, role, team_ids }) => ({ id, name, email, role, teamIds: team_ids }));
}

export async function listTeams(query: Query, organizationId: string) {
  const { rows } = await query(
    `
    select t.id, t.name from desk_team t join desk_account a on a.id = t.account_id where a.organization_id = $1 order by t.name, t.id`,
    [organizationId],
  );
  return rows.map(({ id, name }) => ({ id, name }));
}

/** `$1` is the organization, `$2` the current time. */
const BRIEF = `
  select c.id, c.agent_id, ${statusAt('c', 2)} as status, c.waiting_since, c.last_activity_at
  from desk_conversation c join desk_account a on a.id = c.account_id where a.organization_id = $1`;

/** Selects all that a list shows of the conversations in `brief`. */
const CONVERSATION_DETAILS = `
  select c.id, brief.status, c.priority, c.waiting_since, c.snoozed_until, c.last_activity_at,
    p.id as contact_id, p.name as contact_name, p.email, p.phone, p.locale, p.attributes,
    i.name as inbox_name, g.id as agent_id, g.name as agent_name, t.id as team_id, t.name as team_name, said.author, said.text
  from brief join desk_conversation c on c.id = brief.id join desk_inbox i on i.id = c.inbox_id join desk_contact p on p.id = c.contact_id
    left join desk_agent g on g.id = c.agent_id left join desk_team t on t.id = c.team_id
    left join lateral (select m.author, left(m.text, ${PREVIEW}) as text from desk_message m
      where m.conversation_id = c.id and m.kind = 'SPEECH' and m.visibility = 'PUBLIC' and m.deleted_at is null order by m.id desc limit 1) said on true`;

const conversationView = (row: Record<string, any>) => ({
  id: row.id,
  status: row.status,
  priority: row.priority,
  inbox: { name: row.inbox_name },
  contact: {
    name: row.contact_name ?? `Visitor ${row.contact_id}`,
    email: row.email,
    phone: row.phone,
    locale: row.locale,
    attributes: row.attributes,
  },
  agent: row.agent_id === null ? null : { id: row.agent_id, name: row.agent_name },
  team: row.team_id === null ? null : { id: row.team_id, name: row.team_name },
  isWaiting: row.status === 'OPEN' && row.waiting_since !== null,
  waitingSince: instantOrNull(row.waiting_since),
  snoozedUntil: instantOrNull(row.snoozed_until),
  lastActivityAt: instant(row.last_activity_at),
  lastMessage: row.author === null ? null : { author: row.author, text: row.text },
});

/**
 * Orders unassigned open conversations first, then by how long the end-user has waited for a reply, then by newest
 * activity.
 */
const ORDER = (row: string) => `order by (${row}.status = 'OPEN' and ${row}.agent_id is null) desc,
  case when ${row}.status = 'OPEN' then ${row}.waiting_since end nulls last, ${row}.last_activity_at desc, ${row}.id desc`;

export async function listConversations(
  query: Query,
  organizationId: string,
  now: string,
  me: string | null,
  { status, agent, limit }: z.output<typeof listInput>,
) {
  const agentId = agent === 'me' ? me : agent === 'none' ? null : (agent ?? null);
  // The stored status is still ON_HOLD after a snooze has ended.
  const stored = status?.includes('OPEN') ? [...status, 'ON_HOLD'] : status;
  const { rows } = await query(
    `
    with brief as (
      select b.* from (${BRIEF} and ($3::text[] is null or c.status = any($3))) b
      where ($4::text[] is null or b.status = any($4)) and ($5::bigint is null or b.agent_id = $5) and (not $6 or b.agent_id is null) ${ORDER('b')} limit $7)
    ${CONVERSATION_DETAILS} ${ORDER('brief')}`,
    [organizationId, now, stored ?? null, status ?? null, agentId, agent === 'none', limit + 1],
  );
  return { conversations: rows.slice(0, limit).map(conversationView), hasMore: rows.length > limit };
}

/**
 * Counts the conversations that agents have. Those with the bot and resolved ones are not counted, because their number
 * grows without limit.
 */
export async function countConversations(query: Query, organizationId: string, now: string, me: string | null) {
  const {
    rows: [row],
  } = await query(
    `
    select count(*)::int as open, count(*) filter (where b.status = 'OPEN' and b.agent_id is null)::int as unassigned, count(*) filter (where b.agent_id = $3)::int as mine
    from (${BRIEF} and c.status in ('OPEN', 'ON_HOLD')) b`,
    [organizationId, now, me],
  );
  return { open: row.open as number, unassigned: row.unassigned as number, mine: row.mine as number };
}

export async function readConversation(query: Query, organizationId: string, now: string, id: string) {
  const {
    rows: [row],
  } = isDeskId(id)
    ? await query(`with brief as (${BRIEF} and c.id = $3) ${CONVERSATION_DETAILS}`, [organizationId, now, id])
    : { rows: [] };
  if (!row) throw notFoundError('conversation');
  return conversationView(row);
}

/** Returns one page of messages, ascending. Without `after`, the newest page and whether there are earlier messages. */
export async function readThread(
  query: Query,
  organizationId: string,
  now: string,
  id: string,
  { after, before }: z.output<typeof threadInput>,
) {
  const shown = await readConversation(query, organizationId, now, id);
  const { rows } =
    after === undefined
      ? await query(`${MESSAGES} and ($2::bigint is null or m.id < $2) order by m.id desc limit ${THREAD_PAGE + 1}`, [
          id,
          before ?? null,
        ])
      : await query(`${MESSAGES} and m.id > $2 order by m.id limit ${THREAD_PAGE}`, [id, after]);
  const page = after === undefined ? rows.slice(0, THREAD_PAGE).reverse() : rows;
  const files = await attachmentsOf(
    query,
    page.map(row => row.id),
  );
  const { rows: deleted } = await query(
    'select id from desk_message where conversation_id = $1 and deleted_at is not null order by deleted_at desc limit 100',
    [id],
  );
  return {
    conversation: shown,
    messages: page.map(row => ({
      id: row.id,
      kind: row.kind,
      author: row.author,
      authorName: row.agent_name ?? row.author_name,
      visibility: row.visibility,
      text: row.text,
      at: instant(row.created_at),
      isDeleted: row.deleted_at !== null,
      attachments: files.get(row.id) ?? [],
    })),
    // A page that shows these messages must empty them.
    deletedIds: deleted.map(row => row.id as string),
    ...(after === undefined ? { hasEarlier: rows.length > THREAD_PAGE } : {}),
  };
}

const MESSAGES = `
  select m.id, m.kind, m.author, m.author_name, g.name as agent_name, m.visibility, m.text, m.created_at, m.deleted_at
  from desk_message m left join desk_agent g on g.id = m.agent_id where m.conversation_id = $1`;

export async function attachmentById(query: Query, organizationId: string, id: string) {
  const {
    rows: [row],
  } = isDeskId(id)
    ? await query(
        `
        select f.name, f.content_type, f.content from desk_attachment f join desk_message m on m.id = f.message_id
          join desk_conversation c on c.id = m.conversation_id join desk_account a on a.id = c.account_id
        where f.id = $1 and a.organization_id = $2 and f.content is not null`,
        [id, organizationId],
      )
    : { rows: [] };
  return fileResponse(row);
}

export async function attachmentByToken(query: Query, token: string) {
  const {
    rows: [row],
  } = await query('select name, content_type, content from desk_attachment where token = $1', [token]);
  return fileResponse(row);
}

/**
 * Types that a browser may show inline. All others, markup and SVG above all, could act with this service's origin, so
 * they are downloaded.
 */
const INLINE_TYPES = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp']);

function fileResponse(row: { name: string; content_type: string; content: Buffer } | undefined) {
  if (!row) throw notFoundError('file');
  const inPlace = INLINE_TYPES.has(row.content_type);
  return content(row.content, inPlace ? row.content_type : 'application/octet-stream', {
    'content-disposition': `${inPlace ? 'inline' : 'attachment'}; filename*=UTF-8''${encodeURIComponent(row.name).replace(/['()*]/g, sign => `%${sign.charCodeAt(0).toString(16)}`)}`,
    'content-security-policy': "default-src 'none'; sandbox",
  });
}
