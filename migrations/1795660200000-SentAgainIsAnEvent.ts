import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Drops the time at which a dead letter was resent: the Session's history has it, and nothing read it here. */
export class SentAgainIsAnEvent1795660200000 implements MigrationInterface {
  name = 'SentAgainIsAnEvent1795660200000';

  async up(db: QueryRunner): Promise<void> {
    await db.query('alter table delivery drop sent_again_at');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('alter table delivery add sent_again_at timestamptz(3)');
  }
}
