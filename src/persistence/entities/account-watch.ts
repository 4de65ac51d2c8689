import { Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';
import { AccountRow } from './account';

/** When an account was last asked which of its conversations changed. */
@Entity('account_watch')
export class AccountWatchRow {
  @ForeignKey(() => AccountRow) @PrimaryColumn('uuid') accountId: string;
  @Column({ type: 'timestamptz', precision: 3 }) lookedAt: string;
  @Column({ type: 'timestamptz', precision: 3 }) nextLookAt: string;
}
