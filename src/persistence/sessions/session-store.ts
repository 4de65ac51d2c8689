import type { Pool, PoolClient } from 'pg';
import { NotFoundError } from '../../core/errors';
import {
  isUuid,
  type AccountId,
  type ChatbotId,
  type OrganizationId,
  type ProviderConversationId,
  type SessionId,
} from '../../core/ids';
import type { Clock } from '../../core/ports/clock';
import type { IdempotencyScope, OpenSessionRow, SessionStore } from '../../core/ports/session-store';
import type { SessionTransaction, SessionInbox } from '../../core/ports/session-transaction';
import type { Wake } from '../../core/ports/wake';
import type { SessionRecord } from '../../core/session';
import { ENTER_FEED } from '../postgres/feed-position';
import {
  enterKey,
  KEY_RULES,
  keyReusedError,
  storeResult,
  findStoredResult,
  type KeyRules,
  type StoredResult,
} from './idempotency';
import { HANDOFF, handoffOf, findManyById, SESSION, SESSION_INBOX, type HandoffColumns } from '../postgres/records';
import { endpointForSql } from '../endpoints/reroute-lanes';
import type { LockedSession } from './pipelined-transaction';
import { PostgresSessionTransaction } from './session-transaction';
import { TIME_LIMITS } from '../../time-limits';
import { SESSION_LIMITER_DEFAULTS, SessionLimiter, type SessionLimiterOptions } from './session-limiter';
import { firstOf, rollBack, toJson, rowsOf, statement } from '../postgres/sql';
import { isConflict, retryConflicts } from '../postgres/retry-conflicts';

const BY_ID = statement('session', `select ${SESSION} from session s where s.organization_id = $1 and s.id = $2`);
const BY_IDS = statement(
  'sessions',
  `select ${SESSION} from session s where s.organization_id = $1 and s.id = any($2::uuid[])`,
);
const BY_RUNTIME_KEY = statement(
  'session_by_runtime_key',
  `select ${SESSION} from session s where s.organization_id = $1 and s.chatbot_id = $2 and s.channel = $3 and s.external_id = $4`,
);
const BY_CONVERSATION = statement(
  'session_by_conversation',
  `select ${SESSION} from session s where s.account_id = $1 and s.conversation_id = $2 order by s.opened_at desc limit 1`,
);

const OPEN = statement(
  'open_session',
  `
  with opened as (
    insert into session (id, organization_id, chatbot_id, inbox_id, account_id, channel, external_id, end_user, control, epoch,
      last_message_seq, last_event_seq, status_writes, opened_at)
    select $1, $2, $3, i.id, i.account_id, $5, $6, $7, 'BOT', 1, 0, 1, 0, $8
    from inbox i where i.id = $4 and i.organization_id = $2
    on conflict on constraint uq_session_runtime_key do update set end_user = session.end_user
    returning *
  ), event as (
    insert into event (session_id, seq, organization_id, chatbot_id, handoff_id, type, body, at, position)
    select id, 1, organization_id, chatbot_id, null, 'SESSION_OPENED', '{"type": "SESSION_OPENED"}', opened_at, nextval('feed_position')
    from opened where id = $1
  )
  select ${SESSION} from opened s`,
);

const LOCK = statement(
  'lock_session',
  'select id from session where organization_id = $1 and id = $2 for no key update',
);
// Separate statements after the lock: a statement that began before the lock was acquired would see the earlier state.
const LOCKED_SESSION = statement(
  'locked_session',
  `select ${SESSION}, nextval('feed_position') as position from session s where s.id = $1`,
);
const LOCKED_INBOX = statement(
  'locked_inbox',
  `
  select ${SESSION_INBOX}, case a.state when 'DISABLED' then a.state else i.state end as "state", (${endpointForSql('i.organization_id', 'i.chatbot_id')}) as "endpointId"
  from inbox i join session s on s.inbox_id = i.id join support_account a on a.id = i.account_id where s.id = $1`,
);
const LOCKED_HANDOFF = statement(
  'locked_handoff',
  `select ${HANDOFF} from handoff h join session s on s.live_handoff_id = h.id where s.id = $1`,
);

export class PostgresSessionStore implements SessionStore {
  private readonly limiter: SessionLimiter;

  constructor(
    private readonly pool: Pool,
    private readonly clock: Clock,
    private readonly wake: Wake,
    private readonly keys: KeyRules = KEY_RULES,
    limiter: Partial<SessionLimiterOptions> = {},
  ) {
    this.limiter = new SessionLimiter({
      waitMs: TIME_LIMITS.database.sessionMs,
      ...SESSION_LIMITER_DEFAULTS,
      ...limiter,
    });
  }

  async open(row: OpenSessionRow): Promise<{ session: SessionRecord; created: boolean }> {
    const known = await this.findByRuntimeKey(row.organizationId, row.chatbotId, row.channel, row.externalId);
    if (known !== null) return { session: known, created: false };
    const session = await firstOf<SessionRecord>(this.pool, OPEN, [
      row.id,
      row.organizationId,
      row.chatbotId,
      row.inboxId,
      row.channel,
      row.externalId,
      toJson(row.endUser),
      row.at,
    ]);
    if (session === null)
      throw new NotFoundError('INBOX_NOT_FOUND', 'inboxId', `The organization has no inbox ${row.inboxId}.`);
    const created = session.id === row.id;
    if (created) this.wake.committed([session.id]);
    return { session, created };
  }

  async transact<T>(
    organizationId: OrganizationId,
    sessionId: SessionId,
    work: (tx: SessionTransaction) => Promise<T>,
    idempotency?: IdempotencyScope,
  ): Promise<{ result: T; replayed: boolean }> {
    if (!isUuid(sessionId)) throw sessionNotFoundError();
    return retryConflicts(
      () =>
        this.limiter.run(sessionId, hasRow => this.transactOnce(organizationId, sessionId, work, idempotency, hasRow)),
      () => this.clock.random(),
      isRetryable,
    );
  }

  private async transactOnce<T>(
    organizationId: OrganizationId,
    sessionId: SessionId,
    work: (tx: SessionTransaction) => Promise<T>,
    idempotency: IdempotencyScope | undefined,
    hasRow: () => void,
  ): Promise<{ result: T; replayed: boolean }> {
    const client = await this.pool.connect();
    let tx: PostgresSessionTransaction | undefined;
    try {
      const locked = await this.lock(client, organizationId, sessionId, idempotency);
      hasRow();
      if (locked === null) throw sessionNotFoundError();
      const { stored } = locked;
      if (stored !== null && !stored.isExpired) {
        if (stored.digest !== idempotency!.requestDigest) throw keyReusedError(idempotency!);
        await rollBack(client);
        return { result: stored.result as T, replayed: true };
      }
      tx = new PostgresSessionTransaction(client, locked, this.clock);
      const result = await work(tx);
      const { hasWritten } = tx;
      const { write } = tx;
      if (idempotency) storeResult(write, idempotency, stored, result);
      if (tx.hasWritten) {
        await tx.commit();
        client.release();
      } else {
        // To Postgres the lock alone is a write, and its commit would wait for the disk.
        await rollBack(client);
      }
      if (hasWritten) this.wake.committed([sessionId]);
      return { result, replayed: false };
    } catch (error) {
      const failure = tx ? await tx.firstFailure(error) : error;
      await rollBack(client, failure);
      throw failure;
    }
  }

  /**
   * Sends everything that a transaction starts with at once; the server executes it in this order. Null: no such
   * session.
   */
  private async lock(
    client: PoolClient,
    organizationId: string,
    sessionId: string,
    idempotency?: IdempotencyScope,
  ): Promise<Locked | null> {
    const [, , locked, , session, inbox, live, stored] = await awaitInOrder([
      client.query('begin'),
      idempotency ? enterKey(client, idempotency, this.keys) : null,
      firstOf(client, LOCK, [organizationId, sessionId]),
      rowsOf(client, ENTER_FEED),
      firstOf<SessionRecord & { position: string }>(client, LOCKED_SESSION, [sessionId]),
      firstOf<SessionInbox & { endpointId: string | null }>(client, LOCKED_INBOX, [sessionId]),
      firstOf<HandoffColumns>(client, LOCKED_HANDOFF, [sessionId]),
      idempotency ? findStoredResult(client, idempotency, this.keys) : null,
    ]);
    if (locked === null || session === null || inbox === null) return null;
    const { position, ...record } = session;
    const { endpointId, ...own } = inbox;
    return { session: record, inbox: own, endpointId, live: live === null ? null : handoffOf(live), position, stored };
  }

  async get(organizationId: OrganizationId, id: SessionId): Promise<SessionRecord | null> {
    return isUuid(id) ? firstOf(this.pool, BY_ID, [organizationId, id]) : null;
  }

  getMany(organizationId: OrganizationId, ids: readonly string[]): Promise<readonly (SessionRecord | null)[]> {
    return findManyById<SessionRecord>(this.pool, BY_IDS, organizationId, ids);
  }

  findByRuntimeKey(
    organizationId: OrganizationId,
    chatbotId: ChatbotId,
    channel: string,
    externalId: string,
  ): Promise<SessionRecord | null> {
    return firstOf(this.pool, BY_RUNTIME_KEY, [organizationId, chatbotId, channel, externalId]);
  }

  async findByConversation(
    accountId: AccountId,
    conversationId: ProviderConversationId,
  ): Promise<SessionRecord | null> {
    return isUuid(accountId) ? firstOf(this.pool, BY_CONVERSATION, [accountId, conversationId]) : null;
  }
}

/**
 * Waits for the results of statements that were sent together.
 * @throws the first error, which causes the errors of all later statements
 */
async function awaitInOrder<T extends readonly unknown[] | []>(
  sent: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  const answers: readonly PromiseSettledResult<unknown>[] = await Promise.allSettled(sent);
  const failed = answers.find((answer): answer is PromiseRejectedResult => answer.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return answers.map(answer => (answer as PromiseFulfilledResult<unknown>).value) as {
    -readonly [K in keyof T]: Awaited<T[K]>;
  };
}

type Locked = LockedSession & { readonly stored: StoredResult | null };

/**
 * Returns whether a retry may succeed. The same key may have been used concurrently for another session; then its
 * result is stored by now.
 */
function isRetryable(error: unknown): boolean {
  const { code, constraint } = error as { code?: string; constraint?: string };
  return isConflict(error) || (code === '23505' && constraint === 'uq_idempotency_key');
}

const sessionNotFoundError = () =>
  new NotFoundError('SESSION_NOT_FOUND', 'sessionId', 'There is no such session. Open it with openSupportSession.');
