import type { MigrationInterface, QueryRunner } from 'typeorm';

/** See ../entities.ts for the tables' content. */
const CREATE_TABLES: readonly string[] = [
  `create table desk_account (
    id bigint generated always as identity constraint pk_desk_account primary key,
    our_id text not null,
    organization_id text not null,
    name text not null,
    created_at timestamptz(3) not null,
    constraint uq_desk_account_our_id unique (our_id)
  )`,
  'create index ix_desk_account_organization on desk_account (organization_id)',

  `create table desk_agent (
    id bigint generated always as identity constraint pk_desk_agent primary key,
    account_id bigint not null constraint fk_desk_agent_account_id references desk_account,
    kind text not null,
    name text not null,
    email text,
    role text not null,
    constraint uq_desk_agent_email unique (account_id, email)
  )`,
  "create unique index uq_desk_agent_bot on desk_agent (account_id) where kind = 'BOT'",

  `create table desk_team (
    id bigint generated always as identity constraint pk_desk_team primary key,
    account_id bigint not null constraint fk_desk_team_account_id references desk_account,
    name text not null,
    constraint uq_desk_team_name unique (account_id, name)
  )`,

  `create table desk_team_member (
    team_id bigint not null constraint fk_desk_team_member_team_id references desk_team,
    agent_id bigint not null constraint fk_desk_team_member_agent_id references desk_agent,
    constraint pk_desk_team_member primary key (team_id, agent_id)
  )`,
  'create index ix_desk_team_member_agent on desk_team_member (agent_id)',

  `create table desk_inbox (
    id bigint generated always as identity constraint pk_desk_inbox primary key,
    account_id bigint not null constraint fk_desk_inbox_account_id references desk_account,
    our_id text not null,
    chatbot_id text not null,
    name text not null,
    constraint uq_desk_inbox_our_id unique (account_id, our_id)
  )`,

  `create table desk_contact (
    id bigint generated always as identity constraint pk_desk_contact primary key,
    inbox_id bigint not null constraint fk_desk_contact_inbox_id references desk_inbox,
    session_id text not null,
    name text,
    email text,
    phone text,
    locale text,
    attributes jsonb not null,
    constraint uq_desk_contact_session unique (inbox_id, session_id)
  )`,

  `create table desk_conversation (
    id bigint generated always as identity constraint pk_desk_conversation primary key,
    account_id bigint not null constraint fk_desk_conversation_account_id references desk_account,
    inbox_id bigint not null constraint fk_desk_conversation_inbox_id references desk_inbox,
    contact_id bigint not null constraint fk_desk_conversation_contact_id references desk_contact,
    session_id text not null,
    status text not null,
    agent_id bigint constraint fk_desk_conversation_agent_id references desk_agent,
    team_id bigint constraint fk_desk_conversation_team_id references desk_team,
    priority text,
    snoozed_until timestamptz(3),
    waiting_since timestamptz(3),
    last_activity_at timestamptz(3) not null,
    created_at timestamptz(3) not null,
    constraint uq_desk_conversation_session unique (inbox_id, session_id)
  )`,
  'create index ix_desk_conversation_list on desk_conversation (account_id, status, last_activity_at)',

  `create table desk_message (
    id bigint generated always as identity constraint pk_desk_message primary key,
    conversation_id bigint not null constraint fk_desk_message_conversation_id references desk_conversation on delete cascade,
    our_id text,
    kind text not null,
    author text not null,
    visibility text not null,
    agent_id bigint constraint fk_desk_message_agent_id references desk_agent,
    author_name text,
    text text not null,
    created_at timestamptz(3) not null,
    deleted_at timestamptz(3),
    constraint uq_desk_message_our_id unique (conversation_id, our_id)
  )`,
  'create index ix_desk_message_thread on desk_message (conversation_id, id)',

  `create table desk_attachment (
    id bigint generated always as identity constraint pk_desk_attachment primary key,
    message_id bigint not null constraint fk_desk_attachment_message_id references desk_message on delete cascade,
    name text not null,
    content_type text not null,
    size_bytes bigint,
    url text,
    content bytea,
    token text,
    constraint uq_desk_attachment_token unique (token)
  )`,
  'create index ix_desk_attachment_message on desk_attachment (message_id)',
];

const TABLES: readonly string[] = [
  'desk_account',
  'desk_agent',
  'desk_team',
  'desk_team_member',
  'desk_inbox',
  'desk_contact',
  'desk_conversation',
  'desk_message',
  'desk_attachment',
];

/** Creates the desk's tables. */
export class InitialDeskSchema1796120000001 implements MigrationInterface {
  name = 'InitialDeskSchema1796120000001';

  async up(db: QueryRunner): Promise<void> {
    for (const statement of CREATE_TABLES) await db.query(statement);
  }

  async down(db: QueryRunner): Promise<void> {
    for (const table of [...TABLES].reverse()) await db.query(`drop table ${table}`);
  }
}
