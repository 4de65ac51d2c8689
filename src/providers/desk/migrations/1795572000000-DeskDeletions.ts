import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Records deleted messages. */
export class DeskDeletions1795572000000 implements MigrationInterface {
  name = 'DeskDeletions1795572000000';

  async up(db: QueryRunner): Promise<void> {
    await db.query('alter table desk_message add deleted_at timestamptz(3)');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('alter table desk_message drop deleted_at');
  }
}
