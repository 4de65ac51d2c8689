import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Whether a team that was made from here should give out its conversations by itself. Of earlier teams nobody has said. */
export class TeamAutoAssign1796100040100 implements MigrationInterface {
  name = 'TeamAutoAssign1796100040100';

  async up(db: QueryRunner): Promise<void> {
    await db.query('alter table team add auto_assign boolean');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('alter table team drop auto_assign');
  }
}
