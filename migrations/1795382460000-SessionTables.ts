import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Creates sessions, their handoffs, messages and events, and the results stored under idempotency keys. */
export class SessionTables1795382460000 implements MigrationInterface {
  name = 'SessionTables1795382460000';

  async up(db: QueryRunner): Promise<void> {
    // Free space in each page, so that the update for each message stays in it and touches no index.
    await db.query(`
      create table session (
        id uuid constraint pk_session primary key,
        organization_id text not null,
        chatbot_id text not null,
        inbox_id uuid not null constraint fk_session_inbox_id references inbox,
        account_id uuid not null constraint fk_session_account_id references support_account,
        channel text not null,
        external_id text not null,
        end_user jsonb not null,
        control text not null,
        epoch integer not null,
        last_message_seq integer not null,
        last_event_seq integer not null,
        live_handoff_id uuid,
        contact_id text,
        conversation_id text,
        read_after text,
        status_writes integer not null,
        last_view jsonb,
        opened_at timestamptz(3) not null,
        closed_at timestamptz(3),
        constraint uq_session_runtime_key unique (organization_id, chatbot_id, channel, external_id)
      ) with (fillfactor = 70)`);
    await db.query(
      'create index ix_session_conversation on session (account_id, conversation_id) where conversation_id is not null',
    );

    await db.query(`
      create table handoff (
        id uuid constraint pk_handoff primary key,
        organization_id text not null,
        chatbot_id text not null,
        session_id uuid not null constraint fk_handoff_session_id references session,
        state text not null,
        origin text not null,
        reason text,
        summary text,
        intent text,
        fields jsonb not null,
        priority text,
        target_team_id uuid,
        target_agent_id uuid,
        agent_id uuid,
        agent_external_id text,
        agent_name text,
        resume_target text,
        history_through_seq integer not null,
        steps_done text[] not null,
        end_reason text,
        failure_code text,
        requested_at timestamptz(3) not null,
        queued_at timestamptz(3),
        assigned_at timestamptz(3),
        active_at timestamptz(3),
        ending_at timestamptz(3),
        ended_at timestamptz(3),
        drain_by timestamptz(3)
      )`);
    await db.query(
      "create unique index uq_handoff_live on handoff (session_id) where state not in ('ENDED', 'REJECTED', 'FAILED')",
    );
    await db.query('create index ix_handoff_session on handoff (session_id, requested_at)');
    await db.query('create index ix_handoff_newest on handoff (organization_id, requested_at, id)');
    await db.query(
      "create index ix_handoff_live_newest on handoff (organization_id, requested_at, id) where state not in ('ENDED', 'REJECTED', 'FAILED')",
    );
    await db.query("create index ix_handoff_draining on handoff (drain_by) where state = 'ENDING'");

    await db.query(`
      create table message (
        id uuid constraint pk_message primary key,
        organization_id text not null,
        session_id uuid not null constraint fk_message_session_id references session,
        seq integer not null,
        author text not null,
        visibility text not null,
        text text not null,
        attachments jsonb not null,
        author_name text,
        agent_id uuid,
        handoff_id uuid,
        caller_message_id text,
        provider_message_id text,
        created_at timestamptz(3) not null,
        constraint uq_message_seq unique (session_id, seq),
        constraint uq_message_caller_id unique (session_id, caller_message_id),
        constraint uq_message_provider_id unique (session_id, provider_message_id)
      )`);
    await db.query('create index ix_message_unposted on message (session_id, seq) where provider_message_id is null');

    await db.query(`
      create table event (
        session_id uuid not null constraint fk_event_session_id references session,
        seq integer not null,
        organization_id text not null,
        chatbot_id text not null,
        handoff_id uuid,
        type text not null,
        body jsonb not null,
        at timestamptz(3) not null,
        position bigint not null,
        constraint uq_event_seq primary key (session_id, seq)
      )`);
    await db.query(
      "create index ix_event_handoff_feed on event (organization_id, position, seq) where type = 'HANDOFF_CHANGED'",
    );
    // See src/persistence/feed-position.ts. The first number is used up, so that `last_value` is below any
    // later one.
    await db.query('create sequence feed_position as bigint');
    await db.query("select nextval('feed_position')");
    await db.query(`
      create function feed_horizon() returns bigint language plpgsql volatile as $$
      declare
        newest bigint;
        oldest bigint;
      begin
        select last_value into newest from feed_position;
        select min(((classid::bigint << 32) | objid::bigint) - (21333::bigint << 48)) into oldest
        from pg_locks
        where locktype = 'advisory' and objsubid = 1 and (classid::bigint >> 16) = 21333
          and database = (select oid from pg_database where datname = current_database());
        return least(newest, oldest);
      end $$`);

    await db.query(`
      create table idempotency_key (
        organization_id text not null,
        operation text not null,
        key text not null,
        request_digest text not null,
        answer json,
        created_at timestamptz(3) not null default now(),
        constraint uq_idempotency_key primary key (organization_id, operation, key)
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    for (const table of ['idempotency_key', 'event', 'message', 'handoff', 'session'])
      await db.query(`drop table ${table}`);
    await db.query('drop function feed_horizon()');
    await db.query('drop sequence feed_position');
  }
}
