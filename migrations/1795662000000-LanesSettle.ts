import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Nothing of a lane is begun before what its last try may have written has settled. */
export class LanesSettle1795662000000 implements MigrationInterface {
  name = 'LanesSettle1795662000000';

  async up(db: QueryRunner): Promise<void> {
    await db.query('alter table lane add settles_at timestamptz');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('alter table lane drop settles_at');
  }
}
