import { Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';
import { AccountRow } from './account';

/** When an account was last asked which of its conversations changed. */
@Entity('account_watch')
export class AccountWatchRow {
  @ForeignKey(() => AccountRow) @PrimaryColumn('uuid') accountId: string;
  @Column({ type: 'timestamptz', precision: 3 }) lookedAt: string;
  @Column({ type: 'timestamptz', precision: 3 }) nextLookAt: string;
  /** Of a look that is not complete: when it began, and at which page it goes on. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) lookStartedAt: string | null;
  @Column({ type: 'integer', nullable: true }) lookPage: number | null;
  /** Everything that changed up to then was seen by a scan. */
  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' }) scannedAt: string;
  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' }) nextScanAt: string;
  /** How long after a scan the next one comes, in milliseconds. Null: as soon as a scan ever comes. */
  @Column({ type: 'integer', nullable: true }) scanEveryMs: number | null;
}
