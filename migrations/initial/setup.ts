/** Accounts, inboxes, teams and agents: everything that an operator sets up; locks of setups, scans of accounts. */
export const CREATE_SETUP: readonly string[] = [
  // Everything that an operator sets up belongs to an account at a provider. previous_webhook_hashes: the secret
  // in the webhook URL can change while earlier ones are still accepted. disabled_count lets a setup notice that
  // it was disabled meanwhile.
  `create table support_account (
    id uuid constraint pk_support_account primary key,
    organization_id text not null,
    provider text not null,
    name text not null,
    external_id text,
    base_url text,
    settings jsonb not null,
    credentials_sealed text not null,
    webhook_secret_sealed text not null,
    webhook_secret_hash bytea not null,
    capabilities jsonb not null,
    state text not null,
    problem jsonb,
    created_at timestamptz(3) not null,
    owners jsonb not null,
    health jsonb not null,
    next_check_at timestamptz(3),
    disabled_count integer not null default 0,
    previous_webhook_hashes bytea[] not null default '{}',
    webhook_rotation jsonb,
    constraint uq_account_provider unique (organization_id, provider)
  )`,
  'create index ix_account_next_check on support_account (next_check_at)',

  // reenabled_at: when the inbox was last enabled again; nothing from before that is sent any more.
  `create table inbox (
    id uuid constraint pk_inbox primary key,
    organization_id text not null,
    chatbot_id text not null,
    account_id uuid not null constraint fk_inbox_account_id references support_account,
    name text not null,
    external_id text,
    policy jsonb not null,
    state text not null,
    problem jsonb,
    created_at timestamptz(3) not null,
    provider_data_sealed text not null,
    member_ids jsonb,
    reenabled_at timestamptz(3),
    disabled_count integer not null default 0,
    constraint uq_inbox_chatbot unique (organization_id, chatbot_id)
  )`,
  'create index ix_inbox_account on inbox (account_id)',

  // auto_assign: null if this service did not create the team.
  `create table team (
    id uuid constraint pk_team primary key,
    organization_id text not null,
    account_id uuid not null constraint fk_team_account_id references support_account,
    external_id text not null,
    name text not null,
    gone_at timestamptz(3),
    member_ids jsonb,
    auto_assign boolean,
    constraint uq_team_external unique (account_id, external_id)
  )`,
  'create index ix_team_organization on team (organization_id)',

  `create table agent (
    id uuid constraint pk_agent primary key,
    organization_id text not null,
    account_id uuid not null constraint fk_agent_account_id references support_account,
    external_id text not null,
    name text not null,
    email text,
    role text not null,
    user_id text,
    gone_at timestamptz(3),
    constraint uq_agent_external unique (account_id, external_id)
  )`,
  'create index ix_agent_user on agent (organization_id, user_id)',

  // E-mail addresses of the platform's users, by which agents are matched to them.
  `create table user_email (
    organization_id text not null,
    email text not null,
    user_id text not null,
    constraint pk_user_email primary key (organization_id, email)
  )`,

  // Allows one setup of an account or inbox at a time, over all replicas.
  `create table setup_lock (
    subject uuid constraint pk_setup_lock primary key,
    holder uuid not null,
    until timestamptz(3) not null,
    claimed_by text,
    ambiguous_for_ms integer not null default 0
  )`,

  // When each account was last scanned, and where a full scan that takes several ticks continues.
  `create table account_scan (
    account_id uuid constraint pk_account_scan primary key constraint fk_account_scan_account_id references support_account,
    full_scanned_at timestamptz(3) not null,
    next_full_scan_at timestamptz(3) not null,
    full_scan_started_at timestamptz(3),
    full_scan_page integer,
    scanned_at timestamptz(3) not null default now(),
    next_scan_at timestamptz(3) not null default now(),
    scan_every_ms integer
  )`,
];

export const DROP_SETUP: readonly string[] = [
  'drop table account_scan',
  'drop table setup_lock',
  'drop table user_email',
  'drop table agent',
  'drop table team',
  'drop table inbox',
  'drop table support_account',
];
