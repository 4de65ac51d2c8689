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
  /** Sealed by SecretBox, because it may contain the secret that signs webhooks. */
  @Column('text') providerDataSealed: string;
  /** Our agents' ids; null if never set from here. */
  @Column('jsonb', { nullable: true }) memberIds: unknown;
  @Column('jsonb') policy: unknown;
  @Column('text') state: string;
  @Column('jsonb', { nullable: true }) problem: unknown;
  /** A setup that began at another number does not enable the inbox. */
  @Column('integer', { default: 0 }) disabledCount: number;
  /** When it was last enabled again. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) reenabledAt: string | null;
  @Column({ type: 'timestamptz', precision: 3 }) createdAt: string;
}
