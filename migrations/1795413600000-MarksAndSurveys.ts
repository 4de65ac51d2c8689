import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Adds reply references, deletions and channel states of messages, surveys, and the time of each account's last full
 * scan.
 */
export class MarksAndSurveys1795413600000 implements MigrationInterface {
  name = 'MarksAndSurveys1795413600000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(
      'alter table message add reply_to_message_id uuid, add deleted_at timestamptz(3), add channel_state text',
    );
    await db.query(
      "alter table session add recheck text[] not null default '{}', add read_hint text, add state_read_at timestamptz(3)",
    );
    await db.query('alter table handoff add survey jsonb');
    await db.query(`
      create table account_watch (
        account_id uuid constraint pk_account_watch primary key constraint fk_account_watch_account_id references support_account,
        looked_at timestamptz(3) not null,
        next_look_at timestamptz(3) not null
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('drop table account_watch');
    await db.query('alter table handoff drop survey');
    await db.query('alter table session drop state_read_at, drop read_hint, drop recheck');
    await db.query('alter table message drop channel_state, drop deleted_at, drop reply_to_message_id');
  }
}
