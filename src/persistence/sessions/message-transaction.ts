import { isUuid, type HandoffId, type Instant, type MessageId, type ProviderMessageId } from '../../core/ids';
import type { MessageChange, MessageRecord, NewMessage } from '../../core/message';
import type { MessageRows, PostedMessage, UnpostedMessage } from '../../core/ports/session-transaction';
import { MessageRow } from '../entities/message';
import { valuesOf } from '../postgres/entity-columns';
import { MESSAGE, MESSAGE_FIELDS } from '../postgres/records';
import { assignments, column, columns, parameters, statement, type Statement } from '../postgres/sql';
import { PipelinedTransaction } from './pipelined-transaction';

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
const CLEAR_PROVIDER_MESSAGE_IDS = statement(
  'tx_forget_posts',
  `
  update message set provider_message_id = null, forwarded = null
  where session_id = $1 and provider_message_id is not null and deleted_at is null
    and author <> 'SYSTEM' and not (author = 'AGENT' and visibility = 'INTERNAL')`,
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

/** The messages of a session's transaction. */
export abstract class MessageTransaction extends PipelinedTransaction implements MessageRows {
  protected readonly inserted = new Map<string, MessageRecord>();

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
    this.write(INSERT_MESSAGE, valuesOf(MessageRow, record, MESSAGE_FIELDS));
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
    const fields = MESSAGE_FIELDS.filter(field => change[field as keyof MessageChange] !== undefined);
    if (fields.length > 0)
      this.write(updateMessageStatement(fields), [this.current.id, id, ...valuesOf(MessageRow, change, fields)]);
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
}
