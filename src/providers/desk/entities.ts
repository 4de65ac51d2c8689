import { Column, Entity, ForeignKey, Index, PrimaryColumn, PrimaryGeneratedColumn, Unique } from 'typeorm';

/*
 * The desk's tables. TypeORM uses these classes for migrations and drift checks. The desk itself uses SQL, so each
 * property has its column's name and each class is also the type of a row. Ids are bigints, which `pg` returns as text.
 */

/** The desk of one organization. `our_id` is the core's account id. */
@Entity('desk_account')
@Unique('uq_desk_account_our_id', ['our_id'])
@Index('ix_desk_account_organization', ['organization_id'])
export class DeskAccountRow {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' }) id: string;
  @Column('text') our_id: string;
  @Column('text') organization_id: string;
  @Column('text') name: string;
  @Column({ type: 'timestamptz', precision: 3 }) created_at: Date | string;
}

/** A person, a removed person (GONE), or the BotAgent as which this service acts. */
@Entity('desk_agent')
@Unique('uq_desk_agent_email', ['account_id', 'email'])
@Index('uq_desk_agent_bot', ['account_id'], { unique: true, where: "kind = 'BOT'" })
export class DeskAgentRow {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' }) id: string;
  @ForeignKey(() => DeskAccountRow) @Column('bigint') account_id: string;
  @Column('text') kind: 'PERSON' | 'BOT' | 'GONE';
  @Column('text') name: string;
  /** Lower case. Null for the BotAgent. */
  @Column('text', { nullable: true }) email: string | null;
  @Column('text') role: 'ADMINISTRATOR' | 'AGENT';
}

@Entity('desk_team')
@Unique('uq_desk_team_name', ['account_id', 'name'])
export class DeskTeamRow {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' }) id: string;
  @ForeignKey(() => DeskAccountRow) @Column('bigint') account_id: string;
  @Column('text') name: string;
}

@Entity('desk_team_member')
@Index('ix_desk_team_member_agent', ['agent_id'])
export class DeskTeamMemberRow {
  @ForeignKey(() => DeskTeamRow) @PrimaryColumn('bigint') team_id: string;
  @ForeignKey(() => DeskAgentRow) @PrimaryColumn('bigint') agent_id: string;
}

/** The inbox of one chatbot. `our_id` is the core's inbox id. */
@Entity('desk_inbox')
@Unique('uq_desk_inbox_our_id', ['account_id', 'our_id'])
export class DeskInboxRow {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' }) id: string;
  @ForeignKey(() => DeskAccountRow) @Column('bigint') account_id: string;
  @Column('text') our_id: string;
  @Column('text') chatbot_id: string;
  @Column('text') name: string;
}

@Entity('desk_contact')
@Unique('uq_desk_contact_session', ['inbox_id', 'session_id'])
export class DeskContactRow {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' }) id: string;
  @ForeignKey(() => DeskInboxRow) @Column('bigint') inbox_id: string;
  @Column('text') session_id: string;
  @Column('text', { nullable: true }) name: string | null;
  @Column('text', { nullable: true }) email: string | null;
  @Column('text', { nullable: true }) phone: string | null;
  @Column('text', { nullable: true }) locale: string | null;
  @Column('jsonb') attributes: Record<string, string>;
}

@Entity('desk_conversation')
@Unique('uq_desk_conversation_session', ['inbox_id', 'session_id'])
@Index('ix_desk_conversation_list', ['account_id', 'status', 'last_activity_at'])
export class DeskConversationRow {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' }) id: string;
  @ForeignKey(() => DeskAccountRow) @Column('bigint') account_id: string;
  @ForeignKey(() => DeskInboxRow) @Column('bigint') inbox_id: string;
  @ForeignKey(() => DeskContactRow) @Column('bigint') contact_id: string;
  @Column('text') session_id: string;
  @Column('text') status: 'BOT_HELD' | 'OPEN' | 'ON_HOLD' | 'RESOLVED';
  @ForeignKey(() => DeskAgentRow) @Column('bigint', { nullable: true }) agent_id: string | null;
  @ForeignKey(() => DeskTeamRow) @Column('bigint', { nullable: true }) team_id: string | null;
  @Column('text', { nullable: true }) priority: 'LOW' | 'MEDIUM' | 'HIGH' | 'URGENT' | null;
  /** While ON_HOLD, the time at which the conversation opens again. Null means: when the end-user writes. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) snoozed_until: Date | string | null;
  /** Since when the end-user has been waiting for an agent's reply. Null if no reply is due. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) waiting_since: Date | string | null;
  @Column({ type: 'timestamptz', precision: 3 }) last_activity_at: Date | string;
  @Column({ type: 'timestamptz', precision: 3 }) created_at: Date | string;
}

/**
 * A message (SPEECH) or a line about an action (ACTIVITY). Ids are assigned while the conversation's row is locked, so
 * within a conversation they become visible in ascending order. A reader that continues after an id therefore misses
 * none.
 */
@Entity('desk_message')
@Unique('uq_desk_message_our_id', ['conversation_id', 'our_id'])
@Index('ix_desk_message_thread', ['conversation_id', 'id'])
export class DeskMessageRow {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' }) id: string;
  @ForeignKey(() => DeskConversationRow, { onDelete: 'CASCADE' }) @Column('bigint') conversation_id: string;
  /** The id that the core gave the message. Null for messages written at the desk. */
  @Column('text', { nullable: true }) our_id: string | null;
  @Column('text') kind: 'SPEECH' | 'ACTIVITY';
  @Column('text') author: 'END_USER' | 'BOT' | 'AGENT' | 'SYSTEM';
  @Column('text') visibility: 'PUBLIC' | 'INTERNAL';
  /** The agent who wrote it at the desk. */
  @ForeignKey(() => DeskAgentRow) @Column('bigint', { nullable: true }) agent_id: string | null;
  @Column('text', { nullable: true }) author_name: string | null;
  /** Empty after the message was deleted. */
  @Column('text') text: string;
  @Column({ type: 'timestamptz', precision: 3 }) created_at: Date | string;
  /** When the core deleted the message. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) deleted_at: Date | string | null;
}

/**
 * A file. The desk stores new files itself (`content`, `token`); older rows have only the end-user's address (`url`).
 */
@Entity('desk_attachment')
@Unique('uq_desk_attachment_token', ['token'])
@Index('ix_desk_attachment_message', ['message_id'])
export class DeskAttachmentRow {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' }) id: string;
  @ForeignKey(() => DeskMessageRow, { onDelete: 'CASCADE' }) @Column('bigint') message_id: string;
  @Column('text') name: string;
  @Column('text') content_type: string;
  /** A bigint, which the driver returns as text. */
  @Column('bigint', { nullable: true }) size_bytes: number | string | null;
  @Column('text', { nullable: true }) url: string | null;
  @Column('bytea', { nullable: true }) content: Buffer | null;
  /** Unguessable. The address alone permits fetching the file, as the end-user's channel needs. */
  @Column('text', { nullable: true }) token: string | null;
}
