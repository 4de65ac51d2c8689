import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Stores when an inbox was last enabled again: nothing from before that is sent any more. */
export class HeardSince1795653000000 implements MigrationInterface {
  name = 'HeardSince1795653000000';

  async up(db: QueryRunner): Promise<void> {
    await db.query('alter table inbox add heard_since timestamptz(3)');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('alter table inbox drop heard_since');
  }
}
