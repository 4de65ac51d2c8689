import { Column, Entity, ForeignKey, Index, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm';
import { SessionRow } from './session';

/** One delivery to the provider, the bot runtime or our file archive, with its attempts and outcome. */
@Entity('delivery')
@Index('ix_delivery_lane', ['sessionId', 'destination', 'id'], { where: "state <> 'DONE'" })
@Index('ix_delivery_runtime', ['organizationId', 'position', 'id'], {
  where: "destination = 'RUNTIME' AND state = 'WAITING'",
})
@Index('ix_delivery_runtime_chatbot', ['organizationId', 'chatbotId', 'position', 'id'], {
  where: "destination = 'RUNTIME' AND state = 'WAITING'",
})
@Index('ix_delivery_dead', ['organizationId', 'state', 'id'], { where: "state IN ('PARKED', 'DISCARDED')" })
@Index('ix_delivery_drain', ['drainsHandoffId'], { where: "drains_handoff_id IS NOT NULL AND state = 'WAITING'" })
@Index('ix_delivery_session', ['sessionId'])
@Index('ix_delivery_done', ['doneAt'], { where: 'done_at IS NOT NULL' })
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
  @Column('text', { nullable: true }) lookupAfter: string | null;
  @Column('bigint') position: string;
  /** Set on an agent's message to the runtime: the handoff that ends only after the message was collected. */
  @Column('uuid', { nullable: true }) drainsHandoffId: string | null;
  @Column('integer', { default: 0 }) attempts: number;
  /**
   * Attempts before the last resend. One of them still counts in `attempts`, so that the next attempt begins with a
   * lookup.
   */
  @Column('integer', { default: 0 }) attemptsBeforeResend: number;
  /**
   * The part of `attempts` whose results were reported. An unreported attempt may have written before its process died.
   */
  @Column('integer', { default: 0 }) attemptsReported: number;
  /** True: an attempt may have reached the receiver, and nothing since has shown whether it did. */
  @Column('boolean', { default: false }) outcomeUnknown: boolean;
  @Column('text', { nullable: true }) lastErrorCode: string | null;
  @Column({ type: 'timestamptz', precision: 3 }) createdAt: string;
  /** When it became DONE or DISCARDED. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) doneAt: string | null;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) parkedAt: string | null;
  /**
   * The first failed attempt since it became the head of its lane. An attempt that a rate limit postponed, ours or the
   * remote's, is no failure.
   */
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) firstFailedAt: string | null;
  @Column('text', { nullable: true }) discardReason: string | null;
}

/** One queue of one session. It shows what is due without reading the waiting deliveries. */
@Entity('lane')
@Index('ix_lane_due', ['destination', 'remoteId', 'isTimer', 'nextRunAt'], { where: 'next_run_at IS NOT NULL' })
@Index('ix_lane_claimed', ['claimedBy'], { where: 'is_claimed' })
export class LaneRow {
  @ForeignKey(() => SessionRow) @PrimaryColumn('uuid') sessionId: string;
  /** PROVIDER | RUNTIME | MEDIA | SYNC */
  @PrimaryColumn('text') destination: string;
  @Column('text') organizationId: string;
  /**
   * The receiver of the work: a support account or a runtime's endpoint. A remote that hangs must not use up the
   * capacity of the others.
   */
  @Column('uuid') remoteId: string;
  /**
   * PROVIDER, MEDIA: nothing before `head` waits, except resent deliveries. These and RUNTIME: `tail` is the newest
   * delivery. Both are read from the row itself, never from a snapshot.
   */
  @Column('bigint', { default: 0 }) head: string;
  @Column('bigint', { default: 0 }) tail: string;
  /** The lowest delivery that was resent since the last claim; the next claim begins there. */
  @Column('bigint', { nullable: true }) resentFrom: string | null;
  /** The dead letter that blocks the rest of this lane until an operator decides. */
  @Column('bigint', { nullable: true }) blockedBy: string | null;
  /** When it may be claimed; while it is claimed, the end of the lease. Null: nothing to do. */
  @Column('timestamptz', { nullable: true }) nextRunAt: string | null;
  /** Until then the last attempt's write may still take effect, so nothing of the lane begins before. */
  @Column('timestamptz', { nullable: true }) ambiguousUntil: string | null;
  /** Increases at every claim and completion; proves the claim. */
  @Column('bigint', { default: 0 }) fence: string;
  @Column('integer', { default: 0 }) failures: number;
  /**
   * True: a process has claimed it until `nextRunAt`. After that, the process has died or paused. SYNC: requests wait
   * in `requestedAt` until the sync is finished.
   */
  @Column('boolean', { default: false }) isClaimed: boolean;
  /** The process that claimed it last; see StoreParts.claimer. */
  @Column('text', { nullable: true }) claimedBy: string | null;
  @Column('timestamptz', { nullable: true }) requestedAt: string | null;
  /** SYNC: true if nobody waits for it. It runs after all syncs that hints requested, with the remaining capacity. */
  @Column('boolean', { default: false }) isTimer: boolean;
}
