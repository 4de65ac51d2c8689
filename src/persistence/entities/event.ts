import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { SessionRow } from './session';

/** One fact of a session's history, numbered without gaps. */
@Entity('event')
@Index('ix_event_handoff_feed', ['organizationId', 'position', 'seq'], { where: "type = 'HANDOFF_CHANGED'" })
@Index('ix_event_at', ['at', 'sessionId'])
export class EventRow {
  @ForeignKey(() => SessionRow) @PrimaryColumn('uuid', { primaryKeyConstraintName: 'uq_event_seq' }) sessionId: string;
  @PrimaryColumn('integer', { primaryKeyConstraintName: 'uq_event_seq' }) seq: number;
  @Column('text') organizationId: string;
  @Column('text') chatbotId: string;
  @Column('uuid', { nullable: true }) handoffId: string | null;
  @Column('text') type: string;
  @Column('jsonb') body: unknown;
  @Column({ type: 'timestamptz', precision: 3 }) at: string;
  /** From the sequence `feed_position`, drawn under the session's lock; see feed-position.ts. */
  @Column('bigint') position: string;
}
