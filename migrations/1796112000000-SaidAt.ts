import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Stores when a message was said, if the runtime states it. */
export class SaidAt1796112000000 implements MigrationInterface {
  name = 'SaidAt1796112000000';

  async up(db: QueryRunner): Promise<void> {
    await db.query('alter table message add said_at timestamptz(3)');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('alter table message drop said_at');
  }
}
