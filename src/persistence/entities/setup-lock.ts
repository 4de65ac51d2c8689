import { Column, Entity, PrimaryColumn } from 'typeorm';

/** An account or inbox that is being set up, or whose last setup may still take effect at the provider. */
@Entity('setup_lock')
export class SetupLockRow {
  @PrimaryColumn('uuid') subject: string;
  @Column('uuid') holder: string;
  @Column({ type: 'timestamptz', precision: 3 }) until: string;
  /**
   * The process that holds the lock; see StoreParts.claimer. Null: the run has ended, and its requests may still take
   * effect.
   */
  @Column('text', { nullable: true }) claimedBy: string | null;
  /** How long a call of the run may take effect after its process died. */
  @Column('integer', { default: 0 }) ambiguousForMs: number;
}
