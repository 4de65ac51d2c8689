import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Records conversations that agents started with our end-users, so that agents are notified once that their messages do
 * not arrive.
 */
export class StrayConversations1795651200000 implements MigrationInterface {
  name = 'StrayConversations1795651200000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`create table stray_conversation (
      session_id uuid not null constraint fk_stray_conversation_session_id references session on delete cascade,
      conversation_id text not null,
      constraint pk_stray_conversation primary key (session_id, conversation_id))`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('drop table stray_conversation');
  }
}
