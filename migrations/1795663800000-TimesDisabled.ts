import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Counts how often an account or inbox was disabled, so that a setup notices that it was disabled meanwhile. */
export class TimesDisabled1795663800000 implements MigrationInterface {
  name = 'TimesDisabled1795663800000';

  async up(db: QueryRunner): Promise<void> {
    for (const table of ['support_account', 'inbox'])
      await db.query(`alter table ${table} add times_disabled integer not null default 0`);
  }

  async down(db: QueryRunner): Promise<void> {
    for (const table of ['inbox', 'support_account']) await db.query(`alter table ${table} drop times_disabled`);
  }
}
