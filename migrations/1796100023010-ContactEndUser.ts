import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Stores what each contact was last written with, to distinguish agents' changes from outdated values. */
export class ContactEndUser1796100023010 implements MigrationInterface {
  name = 'ContactEndUser1796100023010';

  async up(db: QueryRunner): Promise<void> {
    await db.query('alter table session add contact_end_user jsonb');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('alter table session drop contact_end_user');
  }
}
