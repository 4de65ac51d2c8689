import { accountOf, asId, asList, asText, has, type Call } from '../http/call';
import { callingUser, mayUseInbox } from '../http/access';
import { json, refuse } from '../http/replies';
import { route, type Route } from '../http/router';
import { filterConversations } from '../domain/filters';
import { typeNumber, sender } from '../present/messages';
import { conversation as conversationJson } from '../present/conversations';
import { seconds } from '../present/times';
import { PRIORITIES, type Conversation, type Inbox, type Json, type Priority } from '../model';

const BASE = '/api/v1/accounts/:accountId/conversations';
const ANYONE = { area: 'account' } as const;
const PAGE = 25;

/**
 * Returns the conversations for lists. Team members may read a conversation by its number, but lists are filtered by
 * inbox only.
 */
function listed(call: Call): Conversation[] {
  const { store } = call.world;
  return store.conversations
    .where(row => row.accountId === accountOf(call).id)
    .filter(row => mayUseInbox(call, store.inboxes.get(row.inboxId) as Inbox));
}

/**
 * Filters by the query. Only `all` means all statuses: an unknown status matches nothing, and without one only open
 * conversations match.
 */
function narrowed(call: Call): Conversation[] {
  const { world, params } = call;
  const status = params['status'] ?? 'open';
  const labels = asList(params['labels']);
  const inboxId = asId(params['inbox_id']);
  const teamId = asId(params['team_id']);
  const within = has(params, 'updated_within') ? Math.max(0, asId(params['updated_within']) ?? 0) : undefined;
  if (teamId !== undefined && world.store.teams.get(teamId)?.accountId !== accountOf(call).id) throw refuse.absent();
  const sourceId = asText(params['source_id']);
  return listed(call).filter(
    row =>
      (status === 'all' || row.status === status) &&
      (inboxId === undefined || row.inboxId === inboxId) &&
      (teamId === undefined || row.teamId === teamId) &&
      (labels.length === 0 || labels.some(label => row.labels.includes(String(label)))) &&
      (within === undefined || (within > 0 && row.updatedAt >= world.now() - within * 1000)) &&
      (sourceId === null || world.store.contactInboxes.get(row.contactInboxId)?.sourceId === sourceId),
  );
}

function byAssignee(call: Call, rows: Conversation[]): Conversation[] {
  const me = callingUser(call)?.id;
  switch (call.params['assignee_type']) {
    case 'me':
      return rows.filter(row => row.assigneeId === me);
    case 'unassigned':
      return rows.filter(row => row.assigneeId === null);
    case 'assigned':
      return rows.filter(row => row.assigneeId !== null);
    default:
      return rows;
  }
}

function counts(call: Call, rows: Conversation[]) {
  const me = callingUser(call)?.id;
  const unassigned = rows.filter(row => row.assigneeId === null).length;
  return {
    mine: rows.filter(row => row.assigneeId === me).length,
    unassigned,
    assigned: rows.length - unassigned,
    all: rows.length,
  };
}

function fullMeta(call: Call, rows: Conversation[]): Json {
  const { mine, assigned, unassigned, all } = counts(call, rows);
  return { mine_count: mine, assigned_count: assigned, unassigned_count: unassigned, all_count: all };
}

type Order = (a: Conversation, b: Conversation) => number;
const newestFirst: Order = (a, b) => b.lastActivityAt - a.lastActivityAt || b.rowId - a.rowId;
const byWaiting = (row: Conversation) => row.waitingSince ?? Infinity;
const ORDERS: Record<string, Order> = {
  last_activity_at_desc: newestFirst,
  last_activity_at_asc: (a, b) => -newestFirst(a, b),
  created_at_desc: (a, b) => b.createdAt - a.createdAt || b.rowId - a.rowId,
  created_at_asc: (a, b) => a.createdAt - b.createdAt || a.rowId - b.rowId,
  priority_desc: (a, b) =>
    PRIORITIES.indexOf(b.priority as Priority) - PRIORITIES.indexOf(a.priority as Priority) || newestFirst(a, b),
  // Conversations whose end-user does not wait come last in both orders.
  waiting_since_asc: (a, b) => (byWaiting(a) === byWaiting(b) ? a.rowId - b.rowId : byWaiting(a) - byWaiting(b)),
  waiting_since_desc: (a, b) => (b.waitingSince ?? 0) - (a.waitingSince ?? 0) || a.rowId - b.rowId,
};

/** Returns one page of 25. With `updated_within`, returns all at once and ignores the page. */
function page(call: Call, rows: Conversation[]): Json[] {
  const current = Math.max(1, asId(call.params['page']) ?? 1);
  const sorted = rows.sort(ORDERS[asText(call.params['sort_by']) ?? ''] ?? newestFirst);
  const shown = has(call.params, 'updated_within') ? sorted : sorted.slice((current - 1) * PAGE, current * PAGE);
  return shown.map(row => conversationJson(call.world, row, callingUser(call)));
}

/** Searches messages. Returns the conversations with their matching messages. */
function search(call: Call) {
  const { world } = call;
  const wanted = (asText(call.params['q']) ?? '').toLowerCase();
  const found = listed(call)
    .map(row => ({
      row,
      hits: world.store
        .messagesIn(row)
        .filter(
          message =>
            message.messageType !== 'activity' && !message.private && message.content?.toLowerCase().includes(wanted),
        ),
    }))
    .filter(({ hits }) => hits.length > 0);
  const payload = found.slice(0, PAGE).map(({ row, hits }) => {
    const contact = world.store.contacts.get(row.contactId);
    const inbox = world.store.inboxes.get(row.inboxId);
    return {
      id: row.displayId,
      uuid: row.uuid,
      created_at: seconds(row.createdAt),
      contact: { id: contact?.id, name: contact?.name },
      inbox: { id: inbox?.id, name: inbox?.name, channel_type: 'Channel::Api' },
      messages: hits.map(message => ({
        content: message.content,
        id: message.id,
        sender_name: sender(world, message, row.accountId)?.['name'] ?? null,
        message_type: typeNumber(message),
        created_at: seconds(message.createdAt),
      })),
      account_id: row.accountId,
    };
  });
  return json({ meta: { mine_count: 0, unassigned_count: 0, all_count: found.length }, payload });
}

export const conversationListRoutes: Route[] = [
  ...route('GET', BASE, ANYONE, call => {
    const rows = narrowed(call);
    return json({ data: { meta: fullMeta(call, rows), payload: page(call, byAssignee(call, rows)) } });
  }),
  ...route('GET', `${BASE}/meta`, ANYONE, call => json({ meta: fullMeta(call, narrowed(call)) })),
  ...route('GET', `${BASE}/search`, ANYONE, search),
  ...route('POST', `${BASE}/filter`, ANYONE, call => {
    const rows = filterConversations(call, listed(call));
    const { mine, unassigned, all } = counts(call, rows);
    return json({
      meta: { mine_count: mine, unassigned_count: unassigned, all_count: all },
      payload: page(call, rows),
    });
  }),
];
