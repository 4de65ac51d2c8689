import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Adds dead letters that can be resent or discarded, and lanes that wait for one. */
export class DeadLetters1795582800000 implements MigrationInterface {
  name = 'DeadLetters1795582800000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      alter table delivery add sent_again_at timestamptz(3), add attempts_before integer not null default 0, add discard_reason text`);
    await db.query(
      "create index ix_delivery_dead on delivery (organization_id, state, id) where state in ('PARKED', 'DISCARDED')",
    );
    await db.query('alter table lane add again_from bigint, add blocked_by bigint');
    await db.query(`update inbox set policy = '{"onDeadLetter": "GO_ON"}' || policy`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query("update inbox set policy = policy - 'onDeadLetter'");
    // Lanes that wait for a dead letter continue, and discarded ones stay ended.
    await db.query('update lane set next_run_at = now() where blocked_by is not null');
    await db.query('update lane set head = least(head, again_from) where again_from is not null');
    await db.query('alter table lane drop blocked_by, drop again_from');
    await db.query('drop index ix_delivery_dead');
    await db.query("update delivery set state = 'DONE' where state = 'DISCARDED'");
    await db.query('alter table delivery drop discard_reason, drop attempts_before, drop sent_again_at');
  }
}
