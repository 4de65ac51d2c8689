import { Column, Entity, ForeignKey, Index, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm';
import { SessionRow } from './session';

/** One thing still owed to the provider, to the bot runtime, or to our own store of files, with attempts and outcome. */
@Entity('delivery')
@Index('ix_delivery_lane', ['sessionId', 'destination', 'id'], { where: "state <> 'DONE'" })
@Index('ix_delivery_runtime', ['organizationId', 'position', 'id'], { where: "destination = 'RUNTIME' AND state = 'WAITING'" })
@Index('ix_delivery_runtime_chatbot', ['organizationId', 'chatbotId', 'position', 'id'], { where: "destination = 'RUNTIME' AND state = 'WAITING'" })
@Index('ix_delivery_dead', ['organizationId', 'state', 'id'], { where: "state IN ('PARKED', 'DISCARDED')" })
@Index('ix_delivery_drain', ['drainsHandoffId'], { where: "drains_handoff_id IS NOT NULL AND state = 'WAITING'" })
@Index('ix_delivery_session', ['sessionId'])
@Index('ix_delivery_over', ['doneAt'], { where: 'done_at IS NOT NULL' })
export class DeliveryRow {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' }) id: string;
  @Column('text') organizationId: string;
  @Column('text') chatbotId: string;
  @ForeignKey(() => SessionRow) @Column('uuid') sessionId: string;
  /** PROVIDER | MEDIA | RUNTIME */
  @Column('text') destination: string;
  /** WAITING | DONE | PARKED | DISCARDED */
  @Column('text') state: string;
  @Column('text') kind: string;
  @Column('jsonb') payload: unknown;
  /** PROVIDER and MEDIA: the Session's conversation when it was enqueued, and how far that had been read. */
  @Column('text', { nullable: true }) conversationId: string | null;
  @Column('text', { nullable: true }) lookAfter: string | null;
  @Column('bigint') position: string;
  /** Set on an agent's message to the runtime: the handoff that ends only after it was collected. */
  @Column('uuid', { nullable: true }) drainsHandoffId: string | null;
  @Column('integer', { default: 0 }) attempts: number;
  /** Tries before it was last sent again; one of them still counts in `attempts`, so that the far side is looked at first. */
  @Column('integer', { default: 0 }) attemptsBefore: number;
  /** Of `attempts`: those that have told what became of them. One that has not may have written before its process died. */
  @Column('integer', { default: 0 }) attemptsSettled: number;
  /** A try may have reached the receiver, and nothing has shown since whether it did. */
  @Column('boolean', { default: false }) outcomeUnknown: boolean;
  @Column('text', { nullable: true }) lastErrorCode: string | null;
  @Column({ type: 'timestamptz', precision: 3 }) createdAt: string;
  /** DONE and DISCARDED: since when. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) doneAt: string | null;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) parkedAt: string | null;
  /** The first try that failed since it became the head of its lane; what never reached the far side for our own pace, or was told to wait, is none. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) firstFailedAt: string | null;
  @Column('text', { nullable: true }) discardReason: string | null;
}

/** One queue of one Session: what is due is found here, however much waits behind it. */
@Entity('lane')
@Index('ix_lane_due', ['destination', 'farSideId', 'isTimer', 'nextRunAt'], { where: 'next_run_at IS NOT NULL' })
@Index('ix_lane_claimed', ['claimedBy'], { where: 'is_claimed' })
export class LaneRow {
  @ForeignKey(() => SessionRow) @PrimaryColumn('uuid') sessionId: string;
  /** PROVIDER | RUNTIME | MEDIA | READING */
  @PrimaryColumn('text') destination: string;
  @Column('text') organizationId: string;
  /** Whom its work goes to: the support account, or the runtime's endpoint. One that hangs must not take the others' turn. */
  @Column('uuid') farSideId: string;
  /** PROVIDER, MEDIA: nothing below `head` waits, but for what was sent again. These and RUNTIME: `tail` is the newest. Both are read from the row itself, never from a snapshot. */
  @Column('bigint', { default: 0 }) head: string;
  @Column('bigint', { default: 0 }) tail: string;
  /** The lowest delivery that was sent again since the last claim: the next claim begins there. */
  @Column('bigint', { nullable: true }) againFrom: string | null;
  /** The dead letter that everything else of this lane waits behind, until an operator decides about it. */
  @Column('bigint', { nullable: true }) blockedBy: string | null;
  /** When it may be claimed; the end of the lease while it is. Null: nothing to do. */
  @Column('timestamptz', { nullable: true }) nextRunAt: string | null;
  /** Until then what its last try may have written can still come to be: nothing of it is begun before. */
  @Column('timestamptz', { nullable: true }) settlesAt: string | null;
  /** Rises at every claim and completion: proof of the claim. */
  @Column('bigint', { default: 0 }) fence: string;
  @Column('integer', { default: 0 }) failures: number;
  /** Somebody holds it until `nextRunAt`; when that has passed, its process has died or stands still. READING: wishes wait in `wantedAt` until it is finished. */
  @Column('boolean', { default: false }) isClaimed: boolean;
  /** Which process claimed it last; see StoreParts.claimer. */
  @Column('text', { nullable: true }) claimedBy: string | null;
  @Column('timestamptz', { nullable: true }) wantedAt: string | null;
  /** READING: nobody waits for it; it is read after everything that a hint asked for, at the pace that hints leave. */
  @Column('boolean', { default: false }) isTimer: boolean;
}
