import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What was sent again does not bring the head behind it before its time, when that may have written something. */
export class LanesSettle1795662000000 implements MigrationInterface {
  name = 'LanesSettle1795662000000';

  async up(db: QueryRunner): Promise<void> {
    await db.query('alter table lane add settles_at timestamptz');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('alter table lane drop settles_at');
  }
}
