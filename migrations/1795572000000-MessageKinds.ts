import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Adds structured content, edits and reactions with their forwarded state, and a handoff's links to the platform. */
export class MessageKinds1795572000000 implements MigrationInterface {
  name = 'MessageKinds1795572000000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      alter table message add content jsonb, add version integer not null default 1, add edited_at timestamptz(3),
        add reactions jsonb not null default '[]', add shown jsonb`);
    await db.query("alter table handoff add links jsonb not null default '[]'");
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('alter table handoff drop links');
    await db.query('alter table message drop shown, drop reactions, drop edited_at, drop version, drop content');
  }
}
