import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Adds owners, health and the next check of an account; members; e-mail addresses of the platform's users; sealed inbox
 * data.
 */
export class PeopleAndHealth1795410000000 implements MigrationInterface {
  name = 'PeopleAndHealth1795410000000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      alter table support_account add column owners jsonb, add column health jsonb, add column next_check_at timestamptz(3)`);
    await db.query(`
      update support_account set owners = '[]', next_check_at = case when state = 'READY' then now() end,
        health = '{"state": "UNKNOWN", "problem": null, "checkedAt": null, "seenBy": "CHECK"}',
        capabilities = '{"managesAgents": false, "inboxMembers": false, "managesTeams": false, "loginLinks": false, "inspectsDrift": false}' || capabilities`);
    await db.query('alter table support_account alter column owners set not null, alter column health set not null');
    await db.query('create index ix_account_next_check on support_account (next_check_at)');

    // Existing data cannot be sealed here, because SQL has no key. The first start seals it and empties provider_data.
    await db.query(`
      alter table inbox add column provider_data_sealed text, add column member_ids jsonb, alter column provider_data drop not null`);
    await db.query('alter table team add column member_ids jsonb');

    await db.query(`
      create table user_email (
        organization_id text not null,
        email text not null,
        user_id text not null,
        constraint pk_user_email primary key (organization_id, email)
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('drop table user_email');
    await db.query('alter table team drop column member_ids');
    // Sealed data cannot be opened here either; enabling the chatbot again reads it from the provider.
    await db.query(`update inbox set provider_data = '{}' where provider_data is null`);
    await db.query(
      'alter table inbox drop column provider_data_sealed, drop column member_ids, alter column provider_data set not null',
    );
    await db.query('drop index ix_account_next_check');
    await db.query('alter table support_account drop column owners, drop column health, drop column next_check_at');
  }
}
