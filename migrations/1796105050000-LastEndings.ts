import type { MigrationInterface, QueryRunner } from 'typeorm';

/** So that what agents said before the end of a handoff belongs to it, and begins no other one. */
export class LastEndings1796105050000 implements MigrationInterface {
  name = 'LastEndings1796105050000';

  async up(db: QueryRunner): Promise<void> {
    await db.query('alter table session add last_ending jsonb');
    await db.query('alter table handoff add sync_by timestamptz(3)');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('alter table handoff drop sync_by');
    await db.query('alter table session drop last_ending');
  }
}
