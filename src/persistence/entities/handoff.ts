import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { SessionRow } from './session';

/** Queries must use the same condition, so that these indexes serve them. */
const LIVE = "state NOT IN ('ENDED', 'REJECTED', 'FAILED')";

/** One request that agents take a session, until it ends. */
@Entity('handoff')
@Index('uq_handoff_live', ['sessionId'], { unique: true, where: LIVE })
@Index('ix_handoff_session', ['sessionId', 'requestedAt'])
@Index('ix_handoff_newest', ['organizationId', 'requestedAt', 'id'])
@Index('ix_handoff_live_newest', ['organizationId', 'requestedAt', 'id'], { where: LIVE })
@Index('ix_handoff_draining', ['drainBy'], { where: "state = 'ENDING'" })
export class HandoffRow {
  @PrimaryColumn('uuid') id: string;
  @Column('text') organizationId: string;
  @Column('text') chatbotId: string;
  @ForeignKey(() => SessionRow) @Column('uuid') sessionId: string;
  @Column('text') state: string;
  @Column('text') origin: string;
  @Column('text', { nullable: true }) reason: string | null;
  @Column('text', { nullable: true }) summary: string | null;
  @Column('text', { nullable: true }) intent: string | null;
  @Column('jsonb') fields: unknown;
  @Column('text', { nullable: true }) priority: string | null;
  @Column('uuid', { nullable: true }) targetTeamId: string | null;
  @Column('uuid', { nullable: true }) targetAgentId: string | null;
  @Column('uuid', { nullable: true }) agentId: string | null;
  @Column('text', { nullable: true }) agentExternalId: string | null;
  @Column('text', { nullable: true }) agentName: string | null;
  @Column('text', { nullable: true }) resumeTarget: string | null;
  @Column('integer') historyThroughSeq: number;
  /** NO | MAYBE | YES */
  @Column('text', { default: 'NO' }) openedForAgents: string;
  @Column('integer', { default: 0 }) timesLost: number;
  @Column('integer', { default: 1 }) openings: number;
  @Column('text', { nullable: true }) endReason: string | null;
  @Column('text', { nullable: true }) failureCode: string | null;
  @Column({ type: 'timestamptz', precision: 3 }) requestedAt: string;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) queuedAt: string | null;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) assignedAt: string | null;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) activeAt: string | null;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) endingAt: string | null;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) endedAt: string | null;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) drainBy: string | null;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) syncBy: string | null;
  @Column('jsonb', { nullable: true }) survey: unknown;
  @Column('jsonb', { default: [] }) links: unknown;
}
