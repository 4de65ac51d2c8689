import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Stores the endpoints to which bot runtimes want their deliveries pushed. */
export class RuntimeEndpoints1795579200000 implements MigrationInterface {
  name = 'RuntimeEndpoints1795579200000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      create table runtime_endpoint (
        id uuid constraint pk_runtime_endpoint primary key,
        organization_id text not null,
        chatbot_id text,
        url text not null,
        secret_sealed text not null,
        previous_secrets jsonb not null default '[]',
        previous_secret_expires_at timestamptz(3),
        state text not null,
        disabled_reason text,
        disabled_at timestamptz(3),
        first_failure_at timestamptz(3),
        last_failure_at timestamptz(3),
        last_failure_code text,
        last_failure_status integer,
        verified_at timestamptz(3),
        is_settled boolean not null default true,
        settle_position bigint,
        created_at timestamptz(3) not null
      )`);
    await db.query('create index ix_runtime_endpoint_organization on runtime_endpoint (organization_id)');
    await db.query(
      "create unique index uq_runtime_endpoint_chatbot on runtime_endpoint (organization_id, chatbot_id) where chatbot_id is not null and state <> 'REMOVED'",
    );
    await db.query(
      "create unique index uq_runtime_endpoint_all on runtime_endpoint (organization_id) where chatbot_id is null and state <> 'REMOVED'",
    );
    await db.query('create index ix_runtime_endpoint_unsettled on runtime_endpoint (id) where not is_settled');
  }

  async down(db: QueryRunner): Promise<void> {
    // Without endpoints these lanes have no destination; pending deliveries stay in the runtime inbox.
    await db.query("delete from lane where destination = 'RUNTIME'");
    await db.query('drop table runtime_endpoint');
  }
}
