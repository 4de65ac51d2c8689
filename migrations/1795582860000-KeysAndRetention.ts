import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Adds a bounded wait for an idempotency key in use, and what the removal of old rows needs. */
export class KeysAndRetention1795582860000 implements MigrationInterface {
  name = 'KeysAndRetention1795582860000';

  async up(db: QueryRunner): Promise<void> {
    // See src/persistence/idempotency.ts. Two numbers, because locks of one number belong to the feed.
    await db.query(`
      create function enter_idempotency_key(high integer, low integer, wait_ms integer) returns void language plpgsql volatile as $$
      begin
        if pg_try_advisory_xact_lock(high, low) then return; end if;
        perform set_config('lock_timeout', wait_ms::text, true);
        perform pg_advisory_xact_lock(high, low);
        perform set_config('lock_timeout', '0', true);
      end $$`);
    await db.query('create index ix_idempotency_key_created on idempotency_key (created_at)');

    await db.query('alter table session add column forgotten jsonb');
    await db.query('create index ix_session_closed on session (closed_at, id) where closed_at is not null');
    await db.query('create index ix_event_at on event (at, session_id)');
    await db.query('create index ix_message_created on message (created_at, session_id)');
    // For the foreign key: without it, the removal of each Session would scan all deliveries.
    await db.query('create index ix_delivery_session on delivery (session_id)');
    await db.query('create index ix_delivery_over on delivery (done_at) where done_at is not null');
    await db.query(`
      create table feed_floor (
        organization_id text constraint pk_feed_floor primary key,
        position bigint not null,
        seq integer not null
      )`);
    await db.query(`
      create table upkeep (
        name text constraint pk_upkeep primary key,
        next_run_at timestamptz(3) not null
      )`);
    await db.query("insert into upkeep (name, next_run_at) values ('retention', now())");
  }

  async down(db: QueryRunner): Promise<void> {
    for (const table of ['upkeep', 'feed_floor']) await db.query(`drop table ${table}`);
    for (const index of [
      'ix_delivery_over',
      'ix_delivery_session',
      'ix_message_created',
      'ix_event_at',
      'ix_session_closed',
      'ix_idempotency_key_created',
    ])
      await db.query(`drop index ${index}`);
    await db.query('alter table session drop column forgotten');
    await db.query('drop function enter_idempotency_key(integer, integer, integer)');
  }
}
