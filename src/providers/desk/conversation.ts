import { isDeskId, type Query } from './database';
import type { DeskConversationRow } from './entities';

export type DeskConversation = { [Column in keyof DeskConversationRow]: DeskConversationRow[Column] };

/**
 * Returns an SQL expression for the status at a given time: a snooze ends at its time without any job that ends it.
 * `now` is the number of the placeholder that holds the time.
 */
export const statusAt = (conversation: string, now: number): string =>
  `(case when ${conversation}.status = 'ON_HOLD' and ${conversation}.snoozed_until <= $${now} then 'OPEN' else ${conversation}.status end)`;

/** Reads a conversation and locks its row until the transaction ends. */
export async function lockConversation(
  query: Query,
  accountId: string,
  conversationId: string,
  now: string,
): Promise<DeskConversation | null> {
  if (!isDeskId(conversationId)) return null;
  const {
    rows: [row],
  } = await query(
    `select c.*, ${statusAt('c', 3)} as status from desk_conversation c where c.id = $1 and c.account_id = $2 for update`,
    [conversationId, accountId, now],
  );
  return row ?? null;
}

export type StateChange = Partial<
  Pick<DeskConversation, 'status' | 'agent_id' | 'team_id' | 'priority' | 'snoozed_until' | 'waiting_since'>
>;

/** Stores the changed state of a conversation and the time of this activity. The row must be locked. */
export async function changeState(
  query: Query,
  row: DeskConversation,
  change: StateChange,
  now: string,
): Promise<DeskConversation> {
  const after = { ...row, ...change, last_activity_at: now };
  await query(
    `
    update desk_conversation set status = $2, agent_id = $3, team_id = $4, priority = $5, snoozed_until = $6, waiting_since = $7, last_activity_at = $8
    where id = $1`,
    [
      after.id,
      after.status,
      after.agent_id,
      after.team_id,
      after.priority,
      after.snoozed_until,
      after.waiting_since,
      now,
    ],
  );
  return after;
}

/** State of a conversation that the bot holds: no agent, team, priority, snooze or waiting time. */
export const HELD_FOR_BOT = {
  status: 'BOT_HELD',
  agent_id: null,
  team_id: null,
  priority: null,
  snoozed_until: null,
  waiting_since: null,
} as const satisfies StateChange;

/** Adds one activity line. Agents see it between the messages. */
export async function recordActivity(
  query: Query,
  row: DeskConversation,
  text: string,
  now: string,
  agentId: string | null = null,
): Promise<void> {
  await query(
    `
    insert into desk_message (conversation_id, kind, author, visibility, agent_id, text, created_at)
    values ($1, 'ACTIVITY', 'SYSTEM', 'INTERNAL', $2, $3, $4)`,
    [row.id, agentId, text, now],
  );
}

/** Creates the conversation of a session, or finds it. Returns its id, or null if there is no such inbox or contact. */
export async function ensureConversation(
  query: Query,
  accountId: string,
  {
    inboxId,
    contactId,
    sessionId,
  }: { readonly inboxId: string; readonly contactId: string; readonly sessionId: string },
  now: string,
): Promise<string | null> {
  const {
    rows: [conversation],
  } = await query(
    `
      insert into desk_conversation (account_id, inbox_id, contact_id, session_id, status, last_activity_at, created_at)
      select i.account_id, i.id, c.id, $4, 'BOT_HELD', $5, $5
      from desk_inbox i join desk_contact c on c.inbox_id = i.id and c.id = $3 and c.session_id = $4
      where i.id = $1 and i.account_id = $2
      on conflict on constraint uq_desk_conversation_session do update set session_id = excluded.session_id
      returning id`,
    [inboxId, accountId, contactId, sessionId, now],
  );
  return conversation?.id ?? null;
}

/**
 * Changes the state after a new message. An end-user's public message ends a snooze, and returns a resolved
 * conversation to the bot.
 */
export async function applyMessageToState(
  query: Query,
  row: DeskConversation,
  { author, visibility }: { readonly author: string; readonly visibility: string },
  now: string,
): Promise<void> {
  if (author !== 'END_USER' || visibility !== 'PUBLIC') await changeState(query, row, {}, now);
  else if (row.status === 'RESOLVED') await changeState(query, row, HELD_FOR_BOT, now);
  else if (row.status === 'BOT_HELD') await changeState(query, row, {}, now);
  else {
    if (row.status === 'ON_HOLD') await recordActivity(query, row, 'Taken off hold because the visitor wrote.', now);
    await changeState(
      query,
      row,
      { status: 'OPEN', snoozed_until: null, waiting_since: row.waiting_since ?? now },
      now,
    );
  }
}
