import { Column, Entity, ForeignKey, Index, PrimaryColumn, Unique } from 'typeorm';
import { AccountRow } from './account';

/** The provider's inbox of one chatbot. */
@Entity('inbox')
@Unique('uq_inbox_chatbot', ['organizationId', 'chatbotId'])
@Index('ix_inbox_account', ['accountId'])
export class InboxRow {
  @PrimaryColumn('uuid') id: string;
  @Column('text') organizationId: string;
  @Column('text') chatbotId: string;
  @ForeignKey(() => AccountRow) @Column('uuid') accountId: string;
  @Column('text') name: string;
  @Column('text', { nullable: true }) externalId: string | null;
  /** Only in rows that were written before `providerDataSealed` was there, until the first start seals them. */
  @Column('jsonb', { nullable: true }) providerData: unknown;
  /** By SecretBox: it may hold the secret that signs webhooks. */
  @Column('text', { nullable: true }) providerDataSealed: string | null;
  /** Our agents' ids; null when nobody has set them from here. */
  @Column('jsonb', { nullable: true }) memberIds: unknown;
  @Column('jsonb') policy: unknown;
  @Column('text') state: string;
  @Column('jsonb', { nullable: true }) problem: unknown;
  /** A set-up that began at another number does not switch it on. */
  @Column('integer', { default: 0 }) timesDisabled: number;
  /** When it was last switched on again. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) heardSince: string | null;
  @Column({ type: 'timestamptz', precision: 3 }) createdAt: string;
}
