import { isDeepStrictEqual } from 'node:util';
import type { PoolClient } from 'pg';
import {
  neverBlocks,
  type DeliveryOutcome,
  type LaneDestination,
  type MediaWork,
  type AttemptOutcome,
  type ProviderDelivery,
  type ProviderWork,
  type RuntimeNotice,
} from '../../core/delivery';
import { LeaseLostError, NotFoundError } from '../../core/errors';
import type { EventBody } from '../../core/event';
import type { HandoffRecord } from '../../core/handoff';
import {
  isUuid,
  type EndpointId,
  type HandoffId,
  type Instant,
  type MessageId,
  type ProviderConversationId,
  type ProviderMessageId,
} from '../../core/ids';
import type { MessageChange, MessageRecord, NewMessage } from '../../core/message';
import { instantOf, type Clock } from '../../core/ports/clock';
import type { AnyLane } from '../../core/ports/lane-store';
import type {
  EnqueuedNote,
  EnqueuedWork,
  PostedMessage,
  SessionInbox,
  SessionTransaction,
  DeliveryReference,
  UnfinishedPost,
  UnpostedMessage,
  Withdrawing,
} from '../../core/ports/session-transaction';
import type { EndpointDisabledReason } from '../../core/runtime-endpoint';
import type { SessionRecord } from '../../core/session';
import { widened, type SyncHint } from '../../core/sync-hint';
import { OWE_MEDIA, OWE_PROVIDER, OWE_PROVIDER_ALL, OWE_RUNTIME, PUSH_RUNTIME } from '../deliveries/enqueue';
import {
  DISCARD,
  DISCARD_HEAD,
  MAKE_RESENT_DUE,
  FORGET_OUTCOME,
  CLEAR_UNKNOWN_OUTCOMES,
  ROUTE_RESENT,
  LOCK_LANES,
  PARK_HEAD,
  RESEND,
  UNBLOCK,
  UNFINISHED_POSTS,
  WAIT_BEHIND_RESENT,
  WITHDRAW_OPENING,
  WITHDRAW_RETURNS,
} from '../deliveries/dead-letter-sql';
import {
  HANDOFF,
  HANDOFF_FIELDS,
  handoffColumns,
  handoffOf,
  MESSAGE,
  MESSAGE_FIELDS,
  SESSION_FIELDS,
  type HandoffColumns,
} from '../postgres/records';
import { assignments, column, columns, toJson, parameters, rowsOf, statement, type Statement } from '../postgres/sql';

const FIXED_FIELDS: readonly string[] = ['id', 'organizationId', 'sessionId'];
const MUTABLE_SESSION_FIELDS = SESSION_FIELDS.filter(
  field =>
    !['id', 'organizationId', 'chatbotId', 'inboxId', 'channel', 'externalId', 'openedAt', 'removedHistory'].includes(
      field,
    ),
);
const MUTABLE_HANDOFF_FIELDS = HANDOFF_FIELDS.filter(field => !FIXED_FIELDS.includes(field));

const messageStatement = (name: string, condition: string) =>
  statement(`tx_${name}`, `select ${MESSAGE} from message m where m.session_id = $1 and ${condition}`);
const MESSAGE_BY_ID = messageStatement('message', 'm.id = $2');
const MESSAGE_BY_CALLER_ID = messageStatement('message_by_caller_id', 'm.caller_message_id = $2');
const MESSAGE_BY_PROVIDER_ID = messageStatement('message_by_provider_id', 'm.provider_message_id = $2');
// Our own lines to the end-user are not part of what agents continue.
const UNPOSTED = "m.provider_message_id is null and m.author <> 'SYSTEM' and m.seq <= $2 order by m.seq";
const UNPOSTED_MESSAGES = messageStatement('unposted_messages', UNPOSTED);
const UNPOSTED_SEQS = statement(
  'tx_unposted_seqs',
  `select m.id, m.seq, m.reactions, m.deleted_at as "deletedAt" from message m where m.session_id = $1 and ${UNPOSTED}`,
);
const SAID_IN = statement(
  'tx_said_in',
  `
  select from message where session_id = $1 and handoff_id = $2 and seq > $3 and author in ('END_USER', 'BOT') limit 1`,
);
const RETURN_WAITING = statement(
  'tx_return_waiting',
  `
  select from delivery where session_id = $1 and destination = 'PROVIDER' and state = 'WAITING' and kind = 'RETURN_CONVERSATION' limit 1`,
);
const INSERT_MESSAGE = statement(
  'tx_insert_message',
  `insert into message (${columns(MESSAGE_FIELDS)}) values (${parameters(MESSAGE_FIELDS)})`,
);
const RECORD_POSTS = statement(
  'tx_record_posts',
  `
  with before as (
    select m.id, m.seq, m.is_undelivered, posted.provider_message_id
    from unnest($2::uuid[], $3::text[]) as posted (id, provider_message_id) join message m on m.session_id = $1 and m.id = posted.id
  ), recorded as (
    update message m set provider_message_id = before.provider_message_id, is_undelivered = false
    from before where m.session_id = $1 and m.id = before.id returning m.id
  )
  select before.id, before.is_undelivered as "wasUndelivered" from before join recorded on recorded.id = before.id order by before.seq`,
);
const NOTE = statement(
  'tx_note',
  `
  select id, payload ->> 'text' as text, attempts > 0 as "wasAttempted" from delivery where session_id = $1 and destination = 'PROVIDER' and kind = 'POST_NOTE' and payload ->> 'noteId' = $2 order by id desc limit 1`,
);
const ATTEMPTED_CONTEXT_NOTE = statement(
  'tx_attempted_context_note',
  `
  select id from delivery
  where session_id = $1 and destination = 'PROVIDER' and kind = 'POST_CONTEXT_NOTE' and payload ->> 'handoffId' = $2 and attempts > 0 order by id desc limit 1`,
);
const CLEAR_PROVIDER_MESSAGE_IDS = statement(
  'tx_forget_posts',
  `
  update message set provider_message_id = null, forwarded = null
  where session_id = $1 and provider_message_id is not null and deleted_at is null
    and author <> 'SYSTEM' and not (author = 'AGENT' and visibility = 'INTERNAL')`,
);

const MUTABLE_MESSAGE_FIELDS = MESSAGE_FIELDS.filter(field =>
  [
    'text',
    'content',
    'attachments',
    'deletedAt',
    'channelState',
    'version',
    'editedAt',
    'reactions',
    'forwarded',
    'isUndelivered',
  ].includes(field),
);
/** Returns one statement per set of fields that change together; there are few such sets. */
const updateMessageStatement = (fields: readonly string[]): Statement =>
  statement(
    `tx_update_message_${fields.map(column).join('_')}`,
    `update message set ${assignments(fields, 3)} where session_id = $1 and id = $2`,
  );
const MARK_READ = statement(
  'tx_mark_read',
  `
  with marked as (
    update message set channel_state = 'READ'
    where session_id = $1 and seq <= $2 and author <> 'END_USER' and visibility = 'PUBLIC' and coalesce(channel_state, '') not in ('READ', 'FAILED')
    returning id, author, seq
  )
  select id, author from marked order by seq`,
);

const HAS_END_USER_MESSAGE_SINCE = statement(
  'tx_end_user_said_since',
  `
  select 1 from (select created_at from message where session_id = $1 and author = 'END_USER' order by seq desc limit 1) said where said.created_at >= $2`,
);
const LAST_HANDOFF = statement(
  'tx_last_handoff',
  `select ${HANDOFF} from handoff h where h.session_id = $1 order by h.requested_at desc, h.id desc limit 1`,
);
const HANDOFF_OF_SURVEY = statement(
  'tx_handoff_of_survey',
  `select ${HANDOFF} from handoff h where h.session_id = $1 and h.survey->>'externalId' = $2`,
);
const HANDOFF_BY_ID = statement('tx_handoff', `select ${HANDOFF} from handoff h where h.session_id = $1 and h.id = $2`);
const INSERT_HANDOFF = statement(
  'tx_insert_handoff',
  `insert into handoff (${columns(HANDOFF_FIELDS)}, chatbot_id) values (${parameters(HANDOFF_FIELDS)}, $${HANDOFF_FIELDS.length + 1})`,
);
const UPDATE_HANDOFF = statement(
  'tx_update_handoff',
  `update handoff set ${assignments(MUTABLE_HANDOFF_FIELDS, 2)} where id = $1`,
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

const COUNT_UNACKNOWLEDGED = statement(
  'tx_unacknowledged',
  "select count(*)::int as count from delivery where drains_handoff_id = $1 and state = 'WAITING'",
);
const ASSERT_FENCE = statement(
  'tx_hold_lane',
  'select 1 from lane where session_id = $1 and destination = $3 and fence = $2 for no key update',
);
const DISABLE_ENDPOINT = statement(
  'tx_disable_endpoint',
  `
  update runtime_endpoint set state = 'DISABLED', disabled_reason = $3, disabled_at = $5
  where organization_id = $1 and id = $2 and state = 'ACTIVE' and first_failure_at is not distinct from $4 returning 1`,
);
const REQUEST_SYNC = statement(
  'tx_want_reading',
  `
  insert into lane (session_id, destination, organization_id, remote_id, next_run_at, is_timer) values ($1, 'SYNC', $2, $4, now() + $3 * interval '1 ms', $5)
  on conflict on constraint pk_lane do update set
    is_timer = case when lane.is_claimed then lane.is_timer when lane.next_run_at is null then excluded.is_timer else lane.is_timer and excluded.is_timer end,
    next_run_at = case when lane.is_claimed then lane.next_run_at else least(lane.next_run_at, excluded.next_run_at) end,
    requested_at = case when lane.is_claimed then least(lane.requested_at, excluded.next_run_at) else lane.requested_at end`,
);
// Two syncs of one session may overlap; each detects a view that another one has overtaken.
const WANT_READING_NOW = statement(
  'tx_want_reading_now',
  `
  insert into lane (session_id, destination, organization_id, remote_id, next_run_at, is_timer) values ($1, 'SYNC', $2, $3, now(), false)
  on conflict on constraint pk_lane do update set
    fence = lane.fence + 1, is_claimed = false, is_timer = false, requested_at = null, next_run_at = excluded.next_run_at`,
);
const REQUEST_ANOTHER_SYNC = statement(
  'tx_want_reading_again',
  `
  update lane set requested_at = least(requested_at, now()) where session_id = $1 and destination = 'SYNC' and is_claimed returning 1`,
);
const ADD_AGENT_INITIATED = statement(
  'tx_add_stray',
  `
  insert into agent_initiated_conversation (session_id, conversation_id) values ($1, $2) on conflict on constraint pk_agent_initiated_conversation do nothing returning 1`,
);
const REMOVE_AGENT_INITIATED = statement(
  'tx_remove_stray',
  'delete from agent_initiated_conversation where session_id = $1 and conversation_id = $2',
);

const JSON_FIELDS: readonly string[] = [
  'endUser',
  'contactEndUser',
  'lastView',
  'lastEnding',
  'fields',
  'attachments',
  'survey',
  'links',
  'content',
  'reactions',
  'forwarded',
];
const valuesOf = (record: object, fields: readonly string[]): unknown[] =>
  fields.map(field => {
    const value = (record as Record<string, unknown>)[field] ?? null;
    return value !== null && JSON_FIELDS.includes(field) ? toJson(value) : value;
  });

/**
 * Sends writes without waiting for their results. The connection keeps the order, so a later read sees them, and the
 * commit fails if one of them failed.
 */
export class PostgresSessionTransaction implements SessionTransaction {
  private readonly sent: Promise<unknown>[] = [];
  private failure: Error | undefined;
  private readonly handoffs = new Map<string, HandoffRecord>();
  private readonly inserted = new Map<string, MessageRecord>();
  private readonly before: SessionRecord;
  private current: SessionRecord;

  constructor(
    private readonly client: PoolClient,
    session: SessionRecord,
    readonly inbox: SessionInbox,
    live: HandoffRecord | null,
    /** The runtime's endpoint for this chatbot, even if disabled. Null: the runtime collects its deliveries. */
    private readonly endpointId: string | null,
    private readonly position: string,
    private readonly clock: Clock,
  ) {
    this.before = this.current = session;
    if (live !== null) this.handoffs.set(live.id, live);
  }

  get session(): SessionRecord {
    return this.current;
  }
  get liveHandoff(): HandoffRecord | null {
    return this.handoffs.get(this.current.liveHandoffId ?? '') ?? null;
  }
  get hasWritten(): boolean {
    return this.sent.length > 0 || this.current !== this.before;
  }

  async findHandoff(id: HandoffId): Promise<HandoffRecord | null> {
    const known = this.handoffs.get(id);
    if (known !== undefined || !isUuid(id)) return known ?? null;
    const [row] = await this.read<HandoffColumns>(HANDOFF_BY_ID, [this.current.id, id]);
    if (row === undefined) return null;
    const handoff = handoffOf(row);
    this.handoffs.set(handoff.id, handoff);
    return handoff;
  }

  async findMessage(id: MessageId): Promise<MessageRecord | null> {
    return isUuid(id) ? ((await this.read<MessageRecord>(MESSAGE_BY_ID, [this.current.id, id]))[0] ?? null) : null;
  }

  async findMessageByCallerId(callerMessageId: string): Promise<MessageRecord | null> {
    return (await this.read<MessageRecord>(MESSAGE_BY_CALLER_ID, [this.current.id, callerMessageId]))[0] ?? null;
  }

  async findMessageByProviderId(id: ProviderMessageId): Promise<MessageRecord | null> {
    return (await this.read<MessageRecord>(MESSAGE_BY_PROVIDER_ID, [this.current.id, id]))[0] ?? null;
  }

  findUnpostedMessages(throughSeq: number): Promise<readonly MessageRecord[]> {
    return this.read<MessageRecord>(UNPOSTED_MESSAGES, [this.current.id, throughSeq]);
  }

  unpostedSeqs(throughSeq: number): Promise<readonly UnpostedMessage[]> {
    return this.read<UnpostedMessage>(UNPOSTED_SEQS, [this.current.id, throughSeq]);
  }

  async hasMessageInHandoff(handoffId: HandoffId, afterSeq: number): Promise<boolean> {
    return (await this.read(SAID_IN, [this.current.id, handoffId, afterSeq])).length > 0;
  }

  async insertMessage(given: NewMessage): Promise<MessageRecord> {
    const { id: sessionId, organizationId } = this.current;
    const seq = this.current.lastMessageSeq + 1;
    const record: MessageRecord = {
      replyToMessageId: null,
      content: null,
      saidAt: null,
      ...given,
      deletedAt: null,
      channelState: null,
      version: 1,
      editedAt: null,
      reactions: [],
      forwarded: null,
      isUndelivered: false,
      organizationId,
      sessionId,
      seq,
    };
    this.current = { ...this.current, lastMessageSeq: seq };
    this.inserted.set(record.id, record);
    this.write(INSERT_MESSAGE, valuesOf(record, MESSAGE_FIELDS));
    return record;
  }

  async recordPosts(posts: readonly PostedMessage[]): Promise<readonly MessageId[]> {
    const recorded = await this.change<{ id: MessageId; wasUndelivered: boolean }>(RECORD_POSTS, [
      this.current.id,
      posts.map(({ id }) => id),
      posts.map(({ providerMessageId }) => providerMessageId),
    ]);
    return recorded.filter(({ wasUndelivered }) => wasUndelivered).map(({ id }) => id);
  }

  async updateMessage(id: MessageId, change: MessageChange): Promise<void> {
    const fields = MUTABLE_MESSAGE_FIELDS.filter(field => change[field as keyof MessageChange] !== undefined);
    if (fields.length > 0)
      this.write(updateMessageStatement(fields), [this.current.id, id, ...valuesOf(change, fields)]);
  }

  async clearProviderMessageIds(): Promise<void> {
    this.write(CLEAR_PROVIDER_MESSAGE_IDS, [this.current.id]);
  }

  markRead(throughSeq: number): Promise<readonly Pick<MessageRecord, 'id' | 'author'>[]> {
    return this.change(MARK_READ, [this.current.id, throughSeq]);
  }

  async hasEndUserMessageSince(at: Instant): Promise<boolean> {
    return (await this.read(HAS_END_USER_MESSAGE_SINCE, [this.current.id, at])).length > 0;
  }

  async findLastHandoff(): Promise<HandoffRecord | null> {
    const [row] = await this.read<HandoffColumns>(LAST_HANDOFF, [this.current.id]);
    return row === undefined ? null : this.findHandoff(row.id);
  }

  async findHandoffOfSurvey(surveyId: ProviderMessageId): Promise<HandoffRecord | null> {
    const [row] = await this.read<HandoffColumns>(HANDOFF_OF_SURVEY, [this.current.id, surveyId]);
    return row === undefined ? null : this.findHandoff(row.id);
  }

  async insertHandoff(given: Omit<HandoffRecord, 'organizationId' | 'sessionId' | 'survey'>): Promise<HandoffRecord> {
    const { id: sessionId, organizationId, chatbotId } = this.current;
    const record: HandoffRecord = { survey: null, ...given, organizationId, sessionId };
    this.handoffs.set(record.id, record);
    this.write(INSERT_HANDOFF, [...valuesOf(handoffColumns(record), HANDOFF_FIELDS), chatbotId]);
    return record;
  }

  async updateHandoff(
    id: HandoffId,
    patch: Partial<Omit<HandoffRecord, 'id' | 'organizationId' | 'sessionId'>>,
  ): Promise<HandoffRecord> {
    const before = await this.findHandoff(id);
    if (before === null)
      throw new NotFoundError('HANDOFF_NOT_FOUND', 'handoffId', `Session ${this.current.id} has no handoff ${id}.`);
    const record: HandoffRecord = { ...before, ...patch };
    this.handoffs.set(record.id, record);
    this.write(UPDATE_HANDOFF, [record.id, ...valuesOf(handoffColumns(record), MUTABLE_HANDOFF_FIELDS)]);
    return record;
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
      this.position,
    ]);
    return seq;
  }

  async enqueueForProvider(work: ProviderWork): Promise<void> {
    this.write(OWE_PROVIDER, [...this.deliveryValues('PROVIDER', work, null), this.inbox.accountId, ...this.place()]);
  }

  async enqueueAllForProvider(works: readonly EnqueuedWork[]): Promise<void> {
    if (works.length === 0) return;
    if (works.length === 1 && works[0]!.instead === undefined) return this.enqueueForProvider(works[0]!.work);
    const [id, organizationId, chatbotId, destination, , , ...rest] = this.deliveryValues(
      'PROVIDER',
      works[0]!.work,
      null,
    );
    const [kinds, payloads, instead] = [
      works.map(({ work }) => work.kind),
      works.map(({ work }) => toJson(work)),
      works.map(one => one.instead ?? null),
    ];
    this.write(OWE_PROVIDER_ALL, [
      id,
      organizationId,
      chatbotId,
      destination,
      kinds,
      payloads,
      ...rest,
      this.inbox.accountId,
      ...this.place(),
      instead,
    ]);
  }

  unfinishedPosts(): Promise<readonly UnfinishedPost[]> {
    return this.read<UnfinishedPost>(UNFINISHED_POSTS, [this.current.id]);
  }

  async withdrawOpening({ by, noteId }: Withdrawing = {}): Promise<void> {
    await this.read(LOCK_LANES, [this.current.id]);
    this.write(WITHDRAW_OPENING, [
      this.current.id,
      this.now(),
      by ?? null,
      this.current.conversationId !== null,
      noteId ?? null,
    ]);
  }

  async withdrawReturns(): Promise<readonly EnqueuedWork[]> {
    await this.read(LOCK_LANES, [this.current.id]);
    const withdrawn = await this.change<{ id: string; work: ProviderWork }>(WITHDRAW_RETURNS, [
      this.current.id,
      this.now(),
    ]);
    return sortByDelivery(withdrawn).map(({ work }) => ({ work }));
  }

  async isReturnWaiting(): Promise<boolean> {
    return (await this.read(RETURN_WAITING, [this.current.id])).length > 0;
  }

  async attemptedContextNote(handoffId: HandoffId): Promise<string | null> {
    return (await this.read<{ id: string }>(ATTEMPTED_CONTEXT_NOTE, [this.current.id, handoffId]))[0]?.id ?? null;
  }

  async note(noteId: string): Promise<EnqueuedNote | null> {
    return (await this.read<EnqueuedNote>(NOTE, [this.current.id, noteId]))[0] ?? null;
  }

  async enqueueFileWork(work: MediaWork): Promise<void> {
    this.write(OWE_MEDIA, [...this.deliveryValues('MEDIA', work, null), this.inbox.accountId, ...this.place()]);
  }

  async enqueueForRuntime(notice: RuntimeNotice): Promise<void> {
    const delivery = this.deliveryValues('RUNTIME', notice, await this.drainingHandoffId(notice));
    if (this.endpointId === null) this.write(OWE_RUNTIME, delivery);
    else this.write(PUSH_RUNTIME, [...delivery, this.endpointId]);
  }

  async parkHead(
    { sessionId, destination, fence, delivery }: AnyLane,
    code: string,
    said: AttemptOutcome,
    ambiguousForMs: number,
  ): Promise<DeliveryOutcome | null> {
    // A file or a push that is lost keeps nothing else from going out.
    const blocks =
      destination === 'PROVIDER' && !neverBlocks(delivery.work) && this.inbox.policy.onDeadLetter === 'BLOCK';
    return (
      (
        await this.read<{ outcome: DeliveryOutcome }>(PARK_HEAD, [
          sessionId,
          destination,
          fence,
          delivery.id,
          this.now(),
          code,
          blocks,
          said,
          ambiguousForMs,
        ])
      )[0]?.outcome ?? null
    );
  }

  async discardHead(
    { sessionId, destination, fence, delivery }: AnyLane,
    code: string,
    reason: string,
    said: AttemptOutcome,
  ): Promise<boolean> {
    return (
      (await this.read(DISCARD_HEAD, [sessionId, destination, fence, delivery.id, this.now(), code, reason, said]))
        .length > 0
    );
  }

  async forgetOutcome(deliveryId: string): Promise<void> {
    this.write(FORGET_OUTCOME, [this.current.id, deliveryId]);
  }

  async clearUnknownOutcomes(): Promise<void> {
    this.write(CLEAR_UNKNOWN_OUTCOMES, [this.current.id]);
  }

  async resend(ids: readonly string[], skipLookup = false): Promise<readonly DeliveryReference[]> {
    const { id, organizationId } = this.current;
    await this.read(LOCK_LANES, [id]);
    const deliveries = await this.read<DeliveryReference>(RESEND, [id, ids, this.position, skipLookup]);
    if (deliveries.length === 0) return [];
    const sent = deliveries.map(letter => letter.id);
    if (this.endpointId !== null) this.write(ROUTE_RESENT, [id, organizationId, this.endpointId, sent]);
    this.write(WAIT_BEHIND_RESENT, [id, sent]);
    this.write(MAKE_RESENT_DUE, [id, sent]);
    return sortByDelivery(deliveries);
  }

  async discard(ids: readonly string[], reason: string): Promise<readonly DeliveryReference[]> {
    const { id } = this.current;
    await this.read(LOCK_LANES, [id]);
    const deliveries = await this.read<DeliveryReference>(DISCARD, [id, ids, this.now(), reason]);
    if (deliveries.length > 0) this.write(UNBLOCK, [id, deliveries.map(letter => letter.id)]);
    return sortByDelivery(deliveries);
  }

  async countUnacknowledged(handoffId: HandoffId): Promise<number> {
    return isUuid(handoffId) ? (await this.read<{ count: number }>(COUNT_UNACKNOWLEDGED, [handoffId]))[0]!.count : 0;
  }

  async assertFence({ fence }: Pick<ProviderDelivery, 'fence'>, of: LaneDestination = 'PROVIDER'): Promise<void> {
    if ((await this.read(ASSERT_FENCE, [this.current.id, fence, of])).length === 0)
      throw new LeaseLostError("The lane's lease was lost. Another replica continues the work.");
  }

  async disableEndpoint(
    id: EndpointId,
    reason: EndpointDisabledReason,
    failingSince: Instant | null,
    at: Instant,
  ): Promise<boolean> {
    return (
      (await this.change(DISABLE_ENDPOINT, [this.current.organizationId, id, reason, failingSince, at])).length > 0
    );
  }

  async requestSync(at: Instant, about: 'MESSAGES' | 'ALL' | 'TIMER' = 'ALL'): Promise<void> {
    if (about !== 'TIMER') await this.addHint(about);
    // Passed as a delay, so that the database's clock decides what is due, on all replicas.
    this.write(REQUEST_SYNC, [
      this.current.id,
      this.current.organizationId,
      Date.parse(at) - this.clock.now(),
      this.inbox.accountId,
      about === 'TIMER',
    ]);
  }

  async requestSyncNow(): Promise<void> {
    await this.updateSession({ syncHint: this.current.syncHint === 'ALL' ? 'ALL' : 'MESSAGES' });
    this.write(WANT_READING_NOW, [this.current.id, this.current.organizationId, this.inbox.accountId]);
  }

  async requestAnotherSync(): Promise<void> {
    if ((await this.change(REQUEST_ANOTHER_SYNC, [this.current.id])).length > 0) await this.addHint('ALL');
  }

  addHint(arrived: SyncHint): Promise<void> {
    const { syncHint, hintCount, stateHintCount } = this.current;
    return this.updateSession({
      syncHint: widened(syncHint, arrived),
      hintCount: hintCount + 1,
      stateHintCount: stateHintCount + (arrived === 'MESSAGES' ? 0 : 1),
    });
  }

  async addAgentInitiated(conversationId: ProviderConversationId): Promise<boolean> {
    return (await this.change(ADD_AGENT_INITIATED, [this.current.id, conversationId])).length > 0;
  }

  async removeAgentInitiated(conversationId: ProviderConversationId): Promise<void> {
    this.write(REMOVE_AGENT_INITIATED, [this.current.id, conversationId]);
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
      this.write(UPDATE_SESSION, [this.current.id, ...valuesOf(this.current, MUTABLE_SESSION_FIELDS)]);
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

  private async read<Row extends object>(sql: Statement, values: readonly unknown[]): Promise<Row[]> {
    return rowsOf<Row>(this.client, sql, values);
  }

  /** Executes a write and returns the changed rows. A write that changed no row does not count as one. */
  private async change<Row extends object>(sql: Statement, values: readonly unknown[]): Promise<Row[]> {
    const answer = rowsOf<Row>(this.client, sql, values);
    const rows = await answer;
    if (rows.length > 0) this.sent.push(answer);
    return rows;
  }

  private deliveryValues(
    destination: LaneDestination | 'RUNTIME',
    what: ProviderWork | MediaWork | RuntimeNotice,
    drainedBy: HandoffId | null,
  ): unknown[] {
    const { id, organizationId, chatbotId } = this.current;
    return [id, organizationId, chatbotId, destination, what.kind, toJson(what), this.position, drainedBy, this.now()];
  }

  /** What a delivery remembers of the conversation, so that it is not taken for the next one's. */
  private place(): unknown[] {
    return [this.current.conversationId, this.current.syncCursor];
  }

  private now = (): Instant => instantOf(this.clock.now());

  /** Returns the handoff that ends only after this delivery was collected: the handoff of an agent's message. */
  private async drainingHandoffId(notice: RuntimeNotice): Promise<HandoffId | null> {
    if (notice.kind !== 'MESSAGE') return null;
    const said = this.inserted.get(notice.messageId) ?? (await this.findMessage(notice.messageId));
    return said?.author === 'AGENT' ? said.handoffId : null;
  }
}

/** Sorts deliveries in the order in which they were enqueued. */
const sortByDelivery = <T extends { readonly id: string }>(deliveries: T[]): T[] =>
  deliveries.sort((a, b) => (BigInt(a.id) < BigInt(b.id) ? -1 : 1));
