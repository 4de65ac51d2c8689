import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Allows one setup of an account or inbox at a time, over all replicas. */
export class SetUpTurns1795658400000 implements MigrationInterface {
  name = 'SetUpTurns1795658400000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`create table set_up_turn (
      subject uuid not null, holder uuid not null, until timestamptz(3) not null,
      constraint pk_set_up_turn primary key (subject))`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('drop table set_up_turn');
  }
}
