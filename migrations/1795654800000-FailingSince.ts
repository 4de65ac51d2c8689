import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A delivery is given up for how long it has failed, not for how long it has been owed. */
export class FailingSince1795654800000 implements MigrationInterface {
  name = 'FailingSince1795654800000';

  async up(db: QueryRunner): Promise<void> {
    await db.query('alter table delivery add first_failed_at timestamptz(3)');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('alter table delivery drop first_failed_at');
  }
}
