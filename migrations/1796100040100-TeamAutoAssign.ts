import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Stores whether a team that this service created should assign its conversations automatically. Unknown for earlier
 * teams.
 */
export class TeamAutoAssign1796100040100 implements MigrationInterface {
  name = 'TeamAutoAssign1796100040100';

  async up(db: QueryRunner): Promise<void> {
    await db.query('alter table team add auto_assign boolean');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('alter table team drop auto_assign');
  }
}
