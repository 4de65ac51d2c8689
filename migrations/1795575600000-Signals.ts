import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Policies say what becomes of automatic replies and of lost conversations; what was lost is told again. */
export class Signals1795575600000 implements MigrationInterface {
  name = 'Signals1795575600000';

  async up(db: QueryRunner): Promise<void> {
    await db.query('alter table session add tells_again boolean not null default false');
    await db.query(`update inbox set policy = '{"automaticReplies": "WITHHOLD", "lostConversation": "END"}' || policy`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('alter table session drop tells_again');
    await db.query("update inbox set policy = policy - 'automaticReplies' - 'lostConversation'");
  }
}
