import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Creates deliveries to provider and runtime, and the lanes in which they are processed. */
export class DeliveryTables1795382520000 implements MigrationInterface {
  name = 'DeliveryTables1795382520000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      create table delivery (
        id bigint generated always as identity constraint pk_delivery primary key,
        organization_id text not null,
        chatbot_id text not null,
        session_id uuid not null constraint fk_delivery_session_id references session,
        destination text not null,
        state text not null,
        kind text not null,
        payload jsonb not null,
        position bigint not null,
        drains_handoff_id uuid,
        attempts integer not null default 0,
        last_error_code text,
        created_at timestamptz(3) not null,
        done_at timestamptz(3),
        parked_at timestamptz(3)
      )`);
    await db.query("create index ix_delivery_lane on delivery (session_id, destination, id) where state <> 'DONE'");
    await db.query(
      "create index ix_delivery_runtime on delivery (organization_id, position, id) where destination = 'RUNTIME' and state = 'WAITING'",
    );
    await db.query(
      "create index ix_delivery_runtime_chatbot on delivery (organization_id, chatbot_id, position, id) where destination = 'RUNTIME' and state = 'WAITING'",
    );
    await db.query(
      "create index ix_delivery_drain on delivery (drains_handoff_id) where drains_handoff_id is not null and state = 'WAITING'",
    );

    // Every claim and completion rewrites a lane: without free space in the pages the table would grow with the
    // traffic.
    await db.query(`
      create table lane (
        session_id uuid not null constraint fk_lane_session_id references session,
        destination text not null,
        organization_id text not null,
        head bigint not null default 0,
        tail bigint not null default 0,
        next_run_at timestamptz,
        fence bigint not null default 0,
        failures integer not null default 0,
        is_claimed boolean not null default false,
        wanted_at timestamptz,
        constraint pk_lane primary key (session_id, destination)
      ) with (fillfactor = 70)`);
    await db.query('create index ix_lane_due on lane (destination, next_run_at) where next_run_at is not null');
  }

  async down(db: QueryRunner): Promise<void> {
    for (const table of ['lane', 'delivery']) await db.query(`drop table ${table}`);
  }
}
