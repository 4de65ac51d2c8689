import { Column, Entity, ForeignKey, Index, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm';
import { SessionRow } from './session';

/** One thing still owed to the provider, to the bot runtime, or to our own store of files, with attempts and outcome. */
@Entity('delivery')
@Index('ix_delivery_lane', ['sessionId', 'destination', 'id'], { where: "state <> 'DONE'" })
@Index('ix_delivery_runtime', ['organizationId', 'position', 'id'], { where: "destination = 'RUNTIME' AND state = 'WAITING'" })
@Index('ix_delivery_runtime_chatbot', ['organizationId', 'chatbotId', 'position', 'id'], { where: "destination = 'RUNTIME' AND state = 'WAITING'" })
@Index('ix_delivery_drain', ['drainsHandoffId'], { where: "drains_handoff_id IS NOT NULL AND state = 'WAITING'" })
export class DeliveryRow {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' }) id: string;
  @Column('text') organizationId: string;
  @Column('text') chatbotId: string;
  @ForeignKey(() => SessionRow) @Column('uuid') sessionId: string;
  /** PROVIDER | MEDIA | RUNTIME */
  @Column('text') destination: string;
  /** WAITING | DONE | PARKED */
  @Column('text') state: string;
  @Column('text') kind: string;
  @Column('jsonb') payload: unknown;
  @Column('bigint') position: string;
  /** Set on an agent's message to the runtime: the handoff that ends only after it was collected. */
  @Column('uuid', { nullable: true }) drainsHandoffId: string | null;
  @Column('integer', { default: 0 }) attempts: number;
  @Column('text', { nullable: true }) lastErrorCode: string | null;
  @Column({ type: 'timestamptz', precision: 3 }) createdAt: string;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) doneAt: string | null;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) parkedAt: string | null;
}

/** One queue of one Session: what is due is found here, however much waits behind it. */
@Entity('lane')
@Index('ix_lane_due', ['destination', 'farSideId', 'nextRunAt'], { where: 'next_run_at IS NOT NULL' })
export class LaneRow {
  @ForeignKey(() => SessionRow) @PrimaryColumn('uuid') sessionId: string;
  /** PROVIDER | MEDIA | READING */
  @PrimaryColumn('text') destination: string;
  @Column('text') organizationId: string;
  /** Whom its work goes to: the support account. One that hangs must not take the others' turn. */
  @Column('uuid') farSideId: string;
  /** PROVIDER, MEDIA: nothing below `head` waits; `tail` is the newest. Both are read from the row itself, never from a snapshot. */
  @Column('bigint', { default: 0 }) head: string;
  @Column('bigint', { default: 0 }) tail: string;
  /** When it may be claimed; the end of the lease while it is. Null: nothing to do. */
  @Column('timestamptz', { nullable: true }) nextRunAt: string | null;
  /** Rises at every claim and completion: proof of the claim. */
  @Column('bigint', { default: 0 }) fence: string;
  @Column('integer', { default: 0 }) failures: number;
  /** READING: somebody holds it, and wishes wait in `wantedAt` until it is finished. */
  @Column('boolean', { default: false }) isClaimed: boolean;
  @Column('timestamptz', { nullable: true }) wantedAt: string | null;
}
