import { Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';
import { AccountRow } from './account';

/** When an account was last scanned for changed conversations. */
@Entity('account_scan')
export class AccountScanRow {
  @ForeignKey(() => AccountRow) @PrimaryColumn('uuid') accountId: string;
  @Column({ type: 'timestamptz', precision: 3 }) fullScannedAt: string;
  @Column({ type: 'timestamptz', precision: 3 }) nextFullScanAt: string;
  /** Set for an unfinished full scan: when it began, and the page at which it continues. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) fullScanStartedAt: string | null;
  @Column({ type: 'integer', nullable: true }) fullScanPage: number | null;
  /** A scan has seen all changes up to then. */
  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' }) scannedAt: string;
  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' }) nextScanAt: string;
  /** The time between a scan and the next one, in milliseconds. Null: the shortest time. */
  @Column({ type: 'integer', nullable: true }) scanEveryMs: number | null;
}
