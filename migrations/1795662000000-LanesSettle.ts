import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Delays a lane while its last attempt's write may still take effect. */
export class LanesSettle1795662000000 implements MigrationInterface {
  name = 'LanesSettle1795662000000';

  async up(db: QueryRunner): Promise<void> {
    await db.query('alter table lane add settles_at timestamptz');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('alter table lane drop settles_at');
  }
}
