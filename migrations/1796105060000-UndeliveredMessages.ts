import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Lets the runtime be notified once that a message reached the agents after all. */
export class UndeliveredMessages1796105060000 implements MigrationInterface {
  name = 'UndeliveredMessages1796105060000';

  async up(db: QueryRunner): Promise<void> {
    await db.query('alter table message add is_undelivered boolean not null default false');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('alter table message drop is_undelivered');
  }
}
