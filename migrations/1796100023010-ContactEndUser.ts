import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What each contact was last written with, so that what agents changed since is told from what is out of date. */
export class ContactEndUser1796100023010 implements MigrationInterface {
  name = 'ContactEndUser1796100023010';

  async up(db: QueryRunner): Promise<void> {
    await db.query('alter table session add contact_end_user jsonb');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('alter table session drop contact_end_user');
  }
}
