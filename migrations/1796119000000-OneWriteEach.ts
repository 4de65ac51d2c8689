import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * One delivery is one remote write: a handoff's opening is a row of deliveries, so handoffs no longer count steps. Each delivery
 * knows the conversation that it was enqueued for, and from where an earlier try of it is looked for.
 */
export class OneWriteEach1796119000000 implements MigrationInterface {
  name = 'OneWriteEach1796119000000';

  public async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE "handoff"
      ADD "opened_for_agents" text NOT NULL DEFAULT 'NO',
      ADD "times_lost" integer NOT NULL DEFAULT 0,
      ADD "openings" integer NOT NULL DEFAULT 1`);
    await queryRunner.query(`
      UPDATE "handoff" SET "opened_for_agents" = CASE WHEN 'opened' = ANY ("steps_done") THEN 'YES' WHEN 'opening' = ANY ("steps_done") THEN 'MAYBE' ELSE 'NO' END`);
    await queryRunner.query(`ALTER TABLE "handoff" DROP COLUMN "steps_done"`);
    await queryRunner.query(`ALTER TABLE "session" DROP COLUMN "tells_again"`);
    await queryRunner.query(`
      ALTER TABLE "delivery"
      ADD "conversation_id" text,
      ADD "look_after" text`);
  }

  public async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE "delivery" DROP COLUMN "look_after", DROP COLUMN "conversation_id"`);
    await queryRunner.query(`ALTER TABLE "session" ADD "tells_again" boolean NOT NULL DEFAULT false`);
    await queryRunner.query(`ALTER TABLE "handoff" ADD "steps_done" text array NOT NULL DEFAULT '{}'`);
    await queryRunner.query(`
      UPDATE "handoff" SET "steps_done" = CASE "opened_for_agents"
        WHEN 'YES' THEN '{held,history,note,opening,opened}'::text[] WHEN 'MAYBE' THEN '{held,history,note,opening}'::text[] ELSE '{}' END`);
    await queryRunner.query(`ALTER TABLE "handoff" ALTER COLUMN "steps_done" DROP DEFAULT`);
    await queryRunner.query(
      `ALTER TABLE "handoff" DROP COLUMN "openings", DROP COLUMN "times_lost", DROP COLUMN "opened_for_agents"`,
    );
  }
}
