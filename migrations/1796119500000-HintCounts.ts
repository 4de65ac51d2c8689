import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How many hints a Session has had, so that a sync forgets only those that came before it began. */
export class HintCounts1796119500000 implements MigrationInterface {
  name = 'HintCounts1796119500000';

  public async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE "session" ADD "hint_count" integer NOT NULL DEFAULT 0, ADD "state_hint_count" integer NOT NULL DEFAULT 0');
  }

  public async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE "session" DROP COLUMN "state_hint_count", DROP COLUMN "hint_count"');
  }
}
