import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Stores where a full scan that takes several ticks continues. */
export class LooksGoOn1795650000000 implements MigrationInterface {
  name = 'LooksGoOn1795650000000';

  async up(db: QueryRunner): Promise<void> {
    await db.query('alter table account_watch add look_started_at timestamptz(3), add look_page integer');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('alter table account_watch drop look_page, drop look_started_at');
  }
}
