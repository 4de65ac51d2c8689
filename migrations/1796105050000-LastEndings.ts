import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Stores a Session's last ending, so that agents' messages from before it belong to it and begin no other handoff. */
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
