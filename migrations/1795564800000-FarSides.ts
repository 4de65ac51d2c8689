import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Stores each lane's remote, so that claims can leave capacity for every remote. */
export class FarSides1795564800000 implements MigrationInterface {
  name = 'FarSides1795564800000';

  async up(db: QueryRunner): Promise<void> {
    await db.query('alter table lane add column far_side_id uuid');
    await db.query('update lane l set far_side_id = s.account_id from session s where s.id = l.session_id');
    await db.query('alter table lane alter column far_side_id set not null');
    await db.query('drop index ix_lane_due');
    await db.query(
      'create index ix_lane_due on lane (destination, far_side_id, next_run_at) where next_run_at is not null',
    );
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('drop index ix_lane_due');
    await db.query('alter table lane drop column far_side_id');
    await db.query('create index ix_lane_due on lane (destination, next_run_at) where next_run_at is not null');
  }
}
