import type { MigrationInterface, QueryRunner } from 'typeorm';

/** When a message was said, where the runtime says so. */
export class SaidAt1796112000000 implements MigrationInterface {
  name = 'SaidAt1796112000000';

  async up(db: QueryRunner): Promise<void> {
    await db.query('alter table message add said_at timestamptz(3)');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('alter table message drop said_at');
  }
}
