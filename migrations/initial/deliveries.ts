/** Deliveries to provider and runtime, the lanes in which they are processed, and the runtimes' endpoints. */
export const CREATE_DELIVERIES: readonly string[] = [
  // One delivery is one remote write. It keeps the conversation that it was enqueued for, and from where a lookup
  // of an earlier attempt begins. It is parked by how long it has failed (first_failed_at), not by how long it has
  // been pending.
  `create table delivery (
    id bigint generated always as identity constraint pk_delivery primary key,
    organization_id text not null,
    chatbot_id text not null,
    session_id uuid not null constraint fk_delivery_session_id references session,
    destination text not null,
    state text not null,
    kind text not null,
    payload jsonb not null,
    position bigint not null,
    drains_handoff_id uuid,
    attempts integer not null default 0,
    last_error_code text,
    created_at timestamptz(3) not null,
    done_at timestamptz(3),
    parked_at timestamptz(3),
    attempts_before_resend integer not null default 0,
    discard_reason text,
    first_failed_at timestamptz(3),
    attempts_reported integer not null default 0,
    outcome_unknown boolean not null default false,
    conversation_id text,
    lookup_after text
  )`,
  "create index ix_delivery_dead on delivery (organization_id, state, id) where state in ('PARKED', 'DISCARDED')",
  "create index ix_delivery_drain on delivery (drains_handoff_id) where drains_handoff_id is not null and state = 'WAITING'",
  "create index ix_delivery_lane on delivery (session_id, destination, id) where state <> 'DONE'",
  'create index ix_delivery_done on delivery (done_at) where done_at is not null',
  "create index ix_delivery_runtime on delivery (organization_id, position, id) where destination = 'RUNTIME' and state = 'WAITING'",
  "create index ix_delivery_runtime_chatbot on delivery (organization_id, chatbot_id, position, id) where destination = 'RUNTIME' and state = 'WAITING'",
  // For the foreign key: without it, the removal of each Session would scan all deliveries.
  'create index ix_delivery_session on delivery (session_id)',

  // Every claim and completion rewrites a lane: without free space in the pages the table would grow with the
  // traffic.
  `create table lane (
    session_id uuid not null constraint fk_lane_session_id references session,
    destination text not null,
    organization_id text not null,
    head bigint not null default 0,
    tail bigint not null default 0,
    next_run_at timestamptz,
    fence bigint not null default 0,
    failures integer not null default 0,
    is_claimed boolean not null default false,
    requested_at timestamptz,
    remote_id uuid not null,
    resent_from bigint,
    blocked_by bigint,
    ambiguous_until timestamptz,
    claimed_by text,
    is_timer boolean not null default false,
    constraint pk_lane primary key (session_id, destination)
  ) with (fillfactor = 70)`,
  'create index ix_lane_claimed on lane (claimed_by) where is_claimed',
  'create index ix_lane_due on lane (destination, remote_id, is_timer, next_run_at) where next_run_at is not null',

  // The endpoints to which bot runtimes want their deliveries pushed.
  `create table runtime_endpoint (
    id uuid constraint pk_runtime_endpoint primary key,
    organization_id text not null,
    chatbot_id text,
    url text not null,
    secret_sealed text not null,
    previous_secrets jsonb not null default '[]',
    previous_secret_expires_at timestamptz(3),
    state text not null,
    disabled_reason text,
    disabled_at timestamptz(3),
    first_failure_at timestamptz(3),
    last_failure_at timestamptz(3),
    last_failure_code text,
    last_failure_status integer,
    verified_at timestamptz(3),
    are_lanes_current boolean not null default true,
    reroute_position bigint,
    created_at timestamptz(3) not null
  )`,
  'create index ix_runtime_endpoint_organization on runtime_endpoint (organization_id)',
  'create index ix_runtime_endpoint_outdated on runtime_endpoint (id) where not are_lanes_current',
  "create unique index uq_runtime_endpoint_all on runtime_endpoint (organization_id) where chatbot_id is null and state <> 'REMOVED'",
  "create unique index uq_runtime_endpoint_chatbot on runtime_endpoint (organization_id, chatbot_id) where chatbot_id is not null and state <> 'REMOVED'",
];

export const DROP_DELIVERIES: readonly string[] = [
  'drop table runtime_endpoint',
  'drop table lane',
  'drop table delivery',
];
