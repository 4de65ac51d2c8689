import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Counts a Session's hints, so that a sync clears only those that arrived before it began. */
export class HintCounts1796119500000 implements MigrationInterface {
  name = 'HintCounts1796119500000';

  public async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      'ALTER TABLE "session" ADD "hint_count" integer NOT NULL DEFAULT 0, ADD "state_hint_count" integer NOT NULL DEFAULT 0',
    );
  }

  public async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE "session" DROP COLUMN "state_hint_count", DROP COLUMN "hint_count"');
  }
}
