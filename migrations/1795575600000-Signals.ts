import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Adds policies for automatic replies and lost conversations; marks Sessions whose history a new conversation must
 * repeat; stores when agents last read, and our recent posts.
 */
export class Signals1795575600000 implements MigrationInterface {
  name = 'Signals1795575600000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(
      "alter table session add tells_again boolean not null default false, add agents_read_at timestamptz(3), add recent_posts double precision[] not null default '{}'",
    );
    await db.query(`update inbox set policy = '{"automaticReplies": "WITHHOLD", "lostConversation": "END"}' || policy`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('alter table session drop recent_posts, drop agents_read_at, drop tells_again');
    await db.query("update inbox set policy = policy - 'automaticReplies' - 'lostConversation'");
  }
}
