import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Lets the secret in an account's webhook URL change while the old one is still accepted. */
export class WebhookRotations1796105070000 implements MigrationInterface {
  name = 'WebhookRotations1796105070000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(
      "alter table support_account add previous_webhook_hashes bytea[] not null default '{}', add webhook_rotation jsonb",
    );
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('alter table support_account drop webhook_rotation, drop previous_webhook_hashes');
  }
}
