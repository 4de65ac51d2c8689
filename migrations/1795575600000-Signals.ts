import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Policies say what becomes of automatic replies and of lost conversations; what was lost is told again. When agents have read, and when we have posted. */
export class Signals1795575600000 implements MigrationInterface {
  name = 'Signals1795575600000';

  async up(db: QueryRunner): Promise<void> {
    await db.query('alter table session add tells_again boolean not null default false, add agents_read_at timestamptz(3), add recent_posts double precision[] not null default \'{}\'');
    await db.query(`update inbox set policy = '{"automaticReplies": "WITHHOLD", "lostConversation": "END"}' || policy`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('alter table session drop recent_posts, drop agents_read_at, drop tells_again');
    await db.query("update inbox set policy = policy - 'automaticReplies' - 'lostConversation'");
  }
}
