import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Allows sizes of 2 GiB and more. */
export class DeskFileSizes1796112000001 implements MigrationInterface {
  name = 'DeskFileSizes1796112000001';

  async up(db: QueryRunner): Promise<void> {
    await db.query('alter table desk_attachment alter size_bytes type bigint');
  }

  async down(db: QueryRunner): Promise<void> {
    // A size that does not fit the narrower column becomes unknown.
    await db.query(
      'alter table desk_attachment alter size_bytes type integer using case when size_bytes <= 2147483647 then size_bytes::integer end',
    );
  }
}
