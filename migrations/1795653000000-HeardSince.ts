import type { MigrationInterface, QueryRunner } from 'typeorm';

/** When an inbox was last switched on again: nothing from before goes out any more. */
export class HeardSince1795653000000 implements MigrationInterface {
  name = 'HeardSince1795653000000';

  async up(db: QueryRunner): Promise<void> {
    await db.query('alter table inbox add heard_since timestamptz(3)');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('alter table inbox drop heard_since');
  }
}
