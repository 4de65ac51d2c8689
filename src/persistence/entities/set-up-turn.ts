import { Column, Entity, PrimaryColumn } from 'typeorm';

/** An account or inbox that is being set up, or whose last set-up may still take effect at the provider. */
@Entity('set_up_turn')
export class SetUpTurnRow {
  @PrimaryColumn('uuid') subject: string;
  @Column('uuid') holder: string;
  @Column({ type: 'timestamptz', precision: 3 }) until: string;
  /** Which process has it; see StoreParts.claimer. Null: nobody any more, what was asked for is still settling. */
  @Column('text', { nullable: true }) claimedBy: string | null;
  /** For how long a call of the run may take effect after its process died. */
  @Column('integer', { default: 0 }) settlesMs: number;
}
