import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What may have been stored at the far side, and nobody knows, is known as such. */
export class UnknownOutcomes1795656600000 implements MigrationInterface {
  name = 'UnknownOutcomes1795656600000';

  async up(db: QueryRunner): Promise<void> {
    await db.query('alter table delivery add attempts_settled integer not null default 0, add outcome_unknown boolean not null default false');
    // What became of earlier tries was not kept: only what was refused at its first is surely not there. Whoever discarded something has not said that it is.
    await db.query(`
      update delivery set attempts_settled = attempts, outcome_unknown = state <> 'DISCARDED' and (attempts + attempts_before > 1 or last_error_code in ('PROVIDER_UNAVAILABLE', 'INTERNAL'))
      where state <> 'DONE' and attempts > 0 and last_error_code is not null`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('alter table delivery drop outcome_unknown, drop attempts_settled');
  }
}
