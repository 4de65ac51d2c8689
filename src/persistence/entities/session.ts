import { Column, Entity, ForeignKey, Index, PrimaryColumn, Unique } from 'typeorm';
import { AccountRow } from './account';
import { InboxRow } from './inbox';

/** One session of an end-user with one chatbot on one channel. Its row lock orders everything that happens in it. */
@Entity('session')
@Unique('uq_session_runtime_key', ['organizationId', 'chatbotId', 'channel', 'externalId'])
@Index('ix_session_live', ['accountId'], { where: 'live_handoff_id IS NOT NULL' })
@Index('ix_session_closed', ['closedAt', 'id'], { where: 'closed_at IS NOT NULL' })
@Index('ix_session_conversation', ['accountId', 'conversationId'], { where: 'conversation_id IS NOT NULL' })
export class SessionRow {
  @PrimaryColumn('uuid') id: string;
  @Column('text') organizationId: string;
  @Column('text') chatbotId: string;
  @ForeignKey(() => InboxRow) @Column('uuid') inboxId: string;
  /** The inbox's account. It is repeated here so that finding a webhook's conversation is one index probe. */
  @ForeignKey(() => AccountRow) @Column('uuid') accountId: string;
  @Column('text') channel: string;
  @Column('text') externalId: string;
  @Column('jsonb') endUser: unknown;
  @Column('text') control: string;
  @Column('integer') epoch: number;
  @Column('integer') lastMessageSeq: number;
  @Column('integer') lastEventSeq: number;
  @Column('uuid', { nullable: true }) liveHandoffId: string | null;
  @Column('text', { nullable: true }) contactId: string | null;
  /** The `EndUser` that was last written to the contact, or null. */
  @Column('jsonb', { nullable: true }) contactEndUser: unknown;
  @Column('text', { nullable: true }) conversationId: string | null;
  @Column('text', { nullable: true }) syncCursor: string | null;
  @Column('text', { nullable: true }) lastSeenMessageId: string | null;
  @Column('integer') statusWrites: number;
  @Column('jsonb', { nullable: true }) lastView: unknown;
  @Column('double precision', { array: true, default: () => "'{}'" }) recentPosts: number[];
  @Column('text', { array: true, default: () => "'{}'" }) recheckIds: string[];
  @Column('text', { nullable: true }) syncHint: string | null;
  /** A sync clears the hints that existed when it began, and no later ones. */
  @Column('integer', { default: 0 }) hintCount: number;
  @Column('integer', { default: 0 }) stateHintCount: number;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) stateReadAt: string | null;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) agentsReadAt: string | null;
  /** Decides which handoff an agent's message belongs to after the runtime or an operator ended one. */
  @Column('jsonb', { nullable: true }) lastEnding: unknown;
  @Column({ type: 'timestamptz', precision: 3 }) openedAt: string;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) closedAt: string | null;
  /** What retention removed from the beginning of its history. */
  @Column('jsonb', { nullable: true }) removedHistory: unknown;
}
