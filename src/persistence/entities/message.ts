import { Column, Entity, ForeignKey, Index, PrimaryColumn, Unique } from 'typeorm';
import { SessionRow } from './session';

/** One message. Its two unique external ids stop repeats. */
@Entity('message')
@Unique('uq_message_seq', ['sessionId', 'seq'])
@Unique('uq_message_caller_id', ['sessionId', 'callerMessageId'])
@Unique('uq_message_provider_id', ['sessionId', 'providerMessageId'])
@Index('ix_message_unposted', ['sessionId', 'seq'], { where: 'provider_message_id IS NULL' })
@Index('ix_message_created', ['createdAt', 'sessionId'])
export class MessageRow {
  @PrimaryColumn('uuid') id: string;
  @Column('text') organizationId: string;
  @ForeignKey(() => SessionRow) @Column('uuid') sessionId: string;
  @Column('integer') seq: number;
  @Column('text') author: string;
  @Column('text') visibility: string;
  @Column('text') text: string;
  @Column('jsonb') attachments: unknown;
  @Column('text', { nullable: true }) authorName: string | null;
  @Column('uuid', { nullable: true }) agentId: string | null;
  @Column('uuid', { nullable: true }) handoffId: string | null;
  @Column('text', { nullable: true }) callerMessageId: string | null;
  @Column('text', { nullable: true }) providerMessageId: string | null;
  @Column('uuid', { nullable: true }) replyToMessageId: string | null;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) deletedAt: string | null;
  @Column('text', { nullable: true }) channelState: string | null;
  @Column('jsonb', { nullable: true }) content: unknown;
  @Column('integer', { default: 1 }) version: number;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) editedAt: string | null;
  @Column('jsonb', { default: [] }) reactions: unknown;
  @Column('jsonb', { nullable: true }) forwarded: unknown;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) saidAt: string | null;
  @Column('boolean', { default: false }) isUndelivered: boolean;
  @Column({ type: 'timestamptz', precision: 3 }) createdAt: string;
}
