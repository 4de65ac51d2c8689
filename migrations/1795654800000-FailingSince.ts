import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Parks a delivery by how long it has failed, not by how long it has been pending. */
export class FailingSince1795654800000 implements MigrationInterface {
  name = 'FailingSince1795654800000';

  async up(db: QueryRunner): Promise<void> {
    await db.query('alter table delivery add first_failed_at timestamptz(3)');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('alter table delivery drop first_failed_at');
  }
}
