import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Stores which process claimed what, so that leases are short and a dead process is distinguished from a disconnected
 * one; runs timers after hints; stores when each account was scanned for changed conversations.
 */
export class ShortLeasesAndScans1796118000000 implements MigrationInterface {
  name = 'ShortLeasesAndScans1796118000000';

  public async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE "lane"
      ADD "claimed_by" text,
      ADD "is_timer" boolean NOT NULL DEFAULT false`);
    await queryRunner.query(`DROP INDEX "ix_lane_due"`);
    await queryRunner.query(
      `CREATE INDEX "ix_lane_due" ON "lane" ("destination", "far_side_id", "is_timer", "next_run_at") WHERE next_run_at IS NOT NULL`,
    );
    await queryRunner.query(`CREATE INDEX "ix_lane_claimed" ON "lane" ("claimed_by") WHERE is_claimed`);
    await queryRunner.query(`
      ALTER TABLE "set_up_turn"
      ADD "claimed_by" text,
      ADD "settles_ms" integer NOT NULL DEFAULT 0`);
    await queryRunner.query(`ALTER TABLE "session" ADD "seen_through" text`);
    await queryRunner.query(
      `CREATE INDEX "ix_session_live" ON "session" ("account_id") WHERE live_handoff_id IS NOT NULL`,
    );
    await queryRunner.query(`
      ALTER TABLE "account_watch"
      ADD "scanned_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL DEFAULT now(),
      ADD "next_scan_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL DEFAULT now(),
      ADD "scan_every_ms" integer`);
  }

  public async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      `ALTER TABLE "account_watch" DROP COLUMN "scan_every_ms", DROP COLUMN "next_scan_at", DROP COLUMN "scanned_at"`,
    );
    await queryRunner.query(`DROP INDEX "ix_session_live"`);
    await queryRunner.query(`ALTER TABLE "session" DROP COLUMN "seen_through"`);
    await queryRunner.query(`ALTER TABLE "set_up_turn" DROP COLUMN "settles_ms", DROP COLUMN "claimed_by"`);
    await queryRunner.query(`DROP INDEX "ix_lane_claimed"`);
    await queryRunner.query(`DROP INDEX "ix_lane_due"`);
    await queryRunner.query(
      `CREATE INDEX "ix_lane_due" ON "lane" ("destination", "far_side_id", "next_run_at") WHERE next_run_at IS NOT NULL`,
    );
    await queryRunner.query(`ALTER TABLE "lane" DROP COLUMN "is_timer", DROP COLUMN "claimed_by"`);
  }
}
