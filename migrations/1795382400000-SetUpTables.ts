import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Creates accounts, inboxes, teams and agents: everything that an operator sets up. */
export class SetUpTables1795382400000 implements MigrationInterface {
  name = 'SetUpTables1795382400000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      create table support_account (
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
        constraint uq_account_provider unique (organization_id, provider)
      )`);
    await db.query(`
      create table inbox (
        id uuid constraint pk_inbox primary key,
        organization_id text not null,
        chatbot_id text not null,
        account_id uuid not null constraint fk_inbox_account_id references support_account,
        name text not null,
        external_id text,
        provider_data jsonb not null,
        policy jsonb not null,
        state text not null,
        problem jsonb,
        created_at timestamptz(3) not null,
        constraint uq_inbox_chatbot unique (organization_id, chatbot_id)
      )`);
    await db.query('create index ix_inbox_account on inbox (account_id)');
    await db.query(`
      create table team (
        id uuid constraint pk_team primary key,
        organization_id text not null,
        account_id uuid not null constraint fk_team_account_id references support_account,
        external_id text not null,
        name text not null,
        gone_at timestamptz(3),
        constraint uq_team_external unique (account_id, external_id)
      )`);
    await db.query('create index ix_team_organization on team (organization_id)');
    await db.query(`
      create table agent (
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
      )`);
    await db.query('create index ix_agent_user on agent (organization_id, user_id)');
  }

  async down(db: QueryRunner): Promise<void> {
    for (const table of ['agent', 'team', 'inbox', 'support_account']) await db.query(`drop table ${table}`);
  }
}
