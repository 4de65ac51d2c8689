import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Marks deliveries whose write may have been stored at the remote. */
export class UnknownOutcomes1795656600000 implements MigrationInterface {
  name = 'UnknownOutcomes1795656600000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(
      'alter table delivery add attempts_settled integer not null default 0, add outcome_unknown boolean not null default false',
    );
    // The outcomes of earlier attempts were not stored: only a delivery that was refused at its first attempt is
    // certainly not there. Discarding a delivery did not state that it is.
    await db.query(`
      update delivery set attempts_settled = attempts, outcome_unknown = state <> 'DISCARDED' and (attempts + attempts_before > 1 or last_error_code in ('PROVIDER_UNAVAILABLE', 'INTERNAL'))
      where state <> 'DONE' and attempts > 0 and last_error_code is not null`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('alter table delivery drop outcome_unknown, drop attempts_settled');
  }
}
