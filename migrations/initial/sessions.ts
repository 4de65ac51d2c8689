/** Sessions, their handoffs, messages and events, and the results stored under idempotency keys. */
export const CREATE_SESSIONS: readonly string[] = [
  // Each message updates its Session: free space in each page keeps the new row there, and no index is touched.
  `create table session (
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
    sync_cursor text,
    status_writes integer not null,
    last_view jsonb,
    opened_at timestamptz(3) not null,
    closed_at timestamptz(3),
    recheck_ids text[] not null default '{}',
    sync_hint text,
    state_read_at timestamptz(3),
    agents_read_at timestamptz(3),
    recent_posts double precision[] not null default '{}',
    removed_history jsonb,
    contact_end_user jsonb,
    last_ending jsonb,
    last_seen_message_id text,
    hint_count integer not null default 0,
    state_hint_count integer not null default 0,
    constraint uq_session_runtime_key unique (organization_id, chatbot_id, channel, external_id)
  ) with (fillfactor = 70)`,
  'create index ix_session_closed on session (closed_at, id) where closed_at is not null',
  'create index ix_session_conversation on session (account_id, conversation_id) where conversation_id is not null',
  'create index ix_session_live on session (account_id) where live_handoff_id is not null',

  // A Session has at most one live handoff (uq_handoff_live).
  `create table handoff (
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
    end_reason text,
    failure_code text,
    requested_at timestamptz(3) not null,
    queued_at timestamptz(3),
    assigned_at timestamptz(3),
    active_at timestamptz(3),
    ending_at timestamptz(3),
    ended_at timestamptz(3),
    drain_by timestamptz(3),
    survey jsonb,
    links jsonb not null default '[]',
    sync_by timestamptz(3),
    opened_for_agents text not null default 'NO',
    times_lost integer not null default 0,
    openings integer not null default 1
  )`,
  "create index ix_handoff_draining on handoff (drain_by) where state = 'ENDING'",
  "create index ix_handoff_live_newest on handoff (organization_id, requested_at, id) where state not in ('ENDED', 'REJECTED', 'FAILED')",
  'create index ix_handoff_newest on handoff (organization_id, requested_at, id)',
  'create index ix_handoff_session on handoff (session_id, requested_at)',
  "create unique index uq_handoff_live on handoff (session_id) where state not in ('ENDED', 'REJECTED', 'FAILED')",

  // is_undelivered: the runtime is notified once if the message reaches the agents after all. said_at: set if the
  // runtime states it.
  `create table message (
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
    reply_to_message_id uuid,
    deleted_at timestamptz(3),
    channel_state text,
    content jsonb,
    version integer not null default 1,
    edited_at timestamptz(3),
    reactions jsonb not null default '[]',
    forwarded jsonb,
    is_undelivered boolean not null default false,
    said_at timestamptz(3),
    constraint uq_message_caller_id unique (session_id, caller_message_id),
    constraint uq_message_provider_id unique (session_id, provider_message_id),
    constraint uq_message_seq unique (session_id, seq)
  )`,
  'create index ix_message_created on message (created_at, session_id)',
  'create index ix_message_unposted on message (session_id, seq) where provider_message_id is null',

  // See src/persistence/postgres/feed-position.ts for position.
  `create table event (
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
  )`,
  'create index ix_event_at on event (at, session_id)',
  "create index ix_event_handoff_feed on event (organization_id, position, seq) where type = 'HANDOFF_CHANGED'",

  // See src/persistence/postgres/feed-position.ts. The first number is used up, so that last_value is below any later
  // one.
  'create sequence feed_position as bigint',
  "select nextval('feed_position')",
  `create function feed_horizon() returns bigint language plpgsql volatile as $$
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
      end $$`,

  `create table idempotency_key (
    organization_id text not null,
    operation text not null,
    key text not null,
    request_digest text not null,
    result json,
    created_at timestamptz(3) not null default now(),
    constraint uq_idempotency_key primary key (organization_id, operation, key)
  )`,
  'create index ix_idempotency_key_created on idempotency_key (created_at)',

  // See src/persistence/sessions/idempotency.ts. Two numbers, because locks of one number belong to the feed.
  `create function enter_idempotency_key(high integer, low integer, wait_ms integer) returns void language plpgsql volatile as $$
      begin
        if pg_try_advisory_xact_lock(high, low) then return; end if;
        perform set_config('lock_timeout', wait_ms::text, true);
        perform pg_advisory_xact_lock(high, low);
        perform set_config('lock_timeout', '0', true);
      end $$`,

  // Conversations that agents started with our end-users, so that agents are notified once that their messages do
  // not arrive.
  `create table agent_initiated_conversation (
    session_id uuid not null constraint fk_agent_initiated_conversation_session_id references session on delete cascade,
    conversation_id text not null,
    constraint pk_agent_initiated_conversation primary key (session_id, conversation_id)
  )`,
];

export const DROP_SESSIONS: readonly string[] = [
  'drop table agent_initiated_conversation',
  'drop table idempotency_key',
  'drop table event',
  'drop table message',
  'drop table handoff',
  'drop table session',
  'drop function enter_idempotency_key(integer, integer, integer)',
  'drop function feed_horizon()',
  'drop sequence feed_position',
];
