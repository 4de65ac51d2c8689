import { Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';
import { AccountRow } from './account';

/** When an account was last scanned for changed conversations. */
@Entity('account_watch')
export class AccountWatchRow {
  @ForeignKey(() => AccountRow) @PrimaryColumn('uuid') accountId: string;
  @Column({ type: 'timestamptz', precision: 3 }) lookedAt: string;
  @Column({ type: 'timestamptz', precision: 3 }) nextLookAt: string;
  /** Set for an unfinished full scan: when it began, and the page at which it continues. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) lookStartedAt: string | null;
  @Column({ type: 'integer', nullable: true }) lookPage: number | null;
  /** A scan has seen all changes up to then. */
  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' }) scannedAt: string;
  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' }) nextScanAt: string;
  /** The time between a scan and the next one, in milliseconds. Null: the shortest time. */
  @Column({ type: 'integer', nullable: true }) scanEveryMs: number | null;
}
