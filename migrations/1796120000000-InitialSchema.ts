import type { MigrationInterface, QueryRunner } from 'typeorm';
import { CREATE_DELIVERIES, DROP_DELIVERIES } from './initial/deliveries';
import { CREATE_RETENTION, DROP_RETENTION } from './initial/retention';
import { CREATE_SESSIONS, DROP_SESSIONS } from './initial/sessions';
import { CREATE_SETUP, DROP_SETUP } from './initial/setup';

/** Creates the whole schema except the providers' own tables; see initial/ for the statements. */
export class InitialSchema1796120000000 implements MigrationInterface {
  name = 'InitialSchema1796120000000';

  async up(db: QueryRunner): Promise<void> {
    for (const statement of [...CREATE_SETUP, ...CREATE_SESSIONS, ...CREATE_DELIVERIES, ...CREATE_RETENTION])
      await db.query(statement);
  }

  async down(db: QueryRunner): Promise<void> {
    for (const statement of [...DROP_RETENTION, ...DROP_DELIVERIES, ...DROP_SESSIONS, ...DROP_SETUP])
      await db.query(statement);
  }
}
