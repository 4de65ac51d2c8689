import { isDeepStrictEqual } from 'node:util';
import type { PoolClient } from 'pg';
import type { EventBody } from '../../core/event';
import type { HandoffRecord } from '../../core/handoff';
import type { HandoffId, Instant } from '../../core/ids';
import { instantOf, type Clock } from '../../core/ports/clock';
import type { EventLog, SessionInbox, LockedSession as LockedRow } from '../../core/ports/session-transaction';
import type { SessionRecord } from '../../core/session';
import { valuesOf } from '../postgres/entity-columns';
import { SESSION_FIELDS } from '../postgres/records';
import { SessionRow as SessionEntity } from '../entities/session';
import { assignments, rowsOf, statement, toJson, type Statement } from '../postgres/sql';

const MUTABLE_SESSION_FIELDS = SESSION_FIELDS.filter(
  field =>
    !['id', 'organizationId', 'chatbotId', 'inboxId', 'channel', 'externalId', 'openedAt', 'removedHistory'].includes(
      field,
    ),
);
const UPDATE_SESSION = statement(
  'tx_update_session',
  `update session set ${assignments(MUTABLE_SESSION_FIELDS, 2)} where id = $1`,
);
const INSERT_EVENT = statement(
  'tx_insert_event',
  `
  insert into event (session_id, seq, organization_id, chatbot_id, handoff_id, type, body, at, position)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
);

/** What a transaction reads after it has locked its session. */
export interface LockedSession {
  readonly session: SessionRecord;
  readonly inbox: SessionInbox;
  readonly live: HandoffRecord | null;
  /** The runtime's endpoint for this chatbot, even if disabled. Null: the runtime collects its deliveries. */
  readonly endpointId: string | null;
  /** The position of this transaction's events and deliveries in the feeds. */
  readonly position: string;
}

/**
 * Sends writes without waiting for their results. The connection keeps the order, so a later read sees them, and the
 * commit fails if one of them failed.
 *
 * A session's transaction is one class per group of tables, each on top of the one before: this one,
 * MessageTransaction,
 * HandoffTransaction, DeliveryTransaction, PostgresSessionTransaction.
 */
export abstract class PipelinedTransaction implements LockedRow, EventLog {
  private readonly sent: Promise<unknown>[] = [];
  private failure: Error | undefined;
  private readonly before: SessionRecord;
  protected current: SessionRecord;
  readonly inbox: SessionInbox;

  constructor(
    private readonly client: PoolClient,
    protected readonly locked: LockedSession,
    protected readonly clock: Clock,
  ) {
    this.before = this.current = locked.session;
    this.inbox = locked.inbox;
  }

  get session(): SessionRecord {
    return this.current;
  }
  get hasWritten(): boolean {
    return this.sent.length > 0 || this.current !== this.before;
  }

  async updateSession(
    patch: Partial<Omit<SessionRecord, 'id' | 'organizationId' | 'lastMessageSeq' | 'lastEventSeq' | 'removedHistory'>>,
  ): Promise<void> {
    // Flows pass the full state, not the difference. A patch that changes nothing is not written and wakes nobody.
    const isNew = Object.entries(patch).some(
      ([field, value]) => !isDeepStrictEqual(this.current[field as keyof SessionRecord], value),
    );
    if (isNew) this.current = { ...this.current, ...patch };
  }

  async appendEvent(body: EventBody, handoffId: HandoffId | null, at: Instant): Promise<number> {
    const { id, organizationId, chatbotId } = this.current;
    const seq = this.current.lastEventSeq + 1;
    this.current = { ...this.current, lastEventSeq: seq };
    this.write(INSERT_EVENT, [
      id,
      seq,
      organizationId,
      chatbotId,
      handoffId,
      body.type,
      toJson(body),
      at,
      this.locked.position,
    ]);
    return seq;
  }

  /** Sends a statement after all others of this transaction, without waiting for its result. */
  readonly write = (sql: Statement, values: readonly unknown[]): void => {
    const answer = rowsOf(this.client, sql, values);
    answer.catch((error: Error) => {
      this.failure ??= error;
    });
    this.sent.push(answer);
  };

  /**
   * Sends the changed session and the commit, and waits for everything.
   * @throws the first write's error; then nothing is stored
   */
  async commit(): Promise<void> {
    if (this.current !== this.before)
      this.write(UPDATE_SESSION, [this.current.id, ...valuesOf(SessionEntity, this.current, MUTABLE_SESSION_FIELDS)]);
    const commit = this.client.query('commit');
    await Promise.allSettled([...this.sent, commit]);
    const { command } = await commit;
    if (this.failure !== undefined) throw this.failure;
    if (command !== 'COMMIT') throw new Error(`The transaction ended with ${command}.`);
  }

  /** Returns the first error: a failed write causes the errors of all later statements. */
  async firstFailure(error: unknown): Promise<unknown> {
    await Promise.allSettled(this.sent);
    return this.failure ?? error;
  }

  protected async read<Row extends object>(sql: Statement, values: readonly unknown[]): Promise<Row[]> {
    return rowsOf<Row>(this.client, sql, values);
  }

  /** Executes a write and returns the changed rows. A write that changed no row does not count as one. */
  protected async change<Row extends object>(sql: Statement, values: readonly unknown[]): Promise<Row[]> {
    const answer = rowsOf<Row>(this.client, sql, values);
    const rows = await answer;
    if (rows.length > 0) this.sent.push(answer);
    return rows;
  }

  protected now = (): Instant => instantOf(this.clock.now());
}
