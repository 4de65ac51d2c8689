import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Policies say what becomes of automatic replies and of lost conversations. */
export class Signals1795575600000 implements MigrationInterface {
  name = 'Signals1795575600000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`update inbox set policy = '{"automaticReplies": "WITHHOLD", "lostConversation": "END"}' || policy`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query("update inbox set policy = policy - 'automaticReplies' - 'lostConversation'");
  }
}
