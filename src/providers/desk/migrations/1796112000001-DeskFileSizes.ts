import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Files of 2 GiB and more. */
export class DeskFileSizes1796112000001 implements MigrationInterface {
  name = 'DeskFileSizes1796112000001';

  async up(db: QueryRunner): Promise<void> {
    await db.query('alter table desk_attachment alter size_bytes type bigint');
  }

  async down(db: QueryRunner): Promise<void> {
    // What the narrower column cannot hold counts as not said.
    await db.query('alter table desk_attachment alter size_bytes type integer using case when size_bytes <= 2147483647 then size_bytes::integer end');
  }
}
