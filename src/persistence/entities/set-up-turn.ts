import { Column, Entity, PrimaryColumn } from 'typeorm';

/** An account or inbox that is being set up, or whose last set-up may still take effect at the provider. */
@Entity('set_up_turn')
export class SetUpTurnRow {
  @PrimaryColumn('uuid') subject: string;
  @Column('uuid') holder: string;
  @Column({ type: 'timestamptz', precision: 3 }) until: string;
}
