import { Column, Entity, Index, PrimaryColumn, Unique } from 'typeorm';

/** One organization's account at one provider. SecretBox seals its secrets, so they are unreadable without its key. */
@Entity('support_account')
@Unique('uq_account_provider', ['organizationId', 'provider'])
@Index('ix_account_next_check', ['nextCheckAt'])
export class AccountRow {
  @PrimaryColumn('uuid') id: string;
  @Column('text') organizationId: string;
  @Column('text') provider: string;
  @Column('text') name: string;
  @Column('text', { nullable: true }) externalId: string | null;
  @Column('text', { nullable: true }) baseUrl: string | null;
  @Column('jsonb') settings: unknown;
  @Column('text') credentialsSealed: string;
  @Column('text') webhookSecretSealed: string;
  /** SHA-256, to compare without unsealing. */
  @Column('bytea') webhookSecretHash: Buffer;
  /** Digests of the secrets before the last rotation, newest first, while they are accepted. */
  @Column('bytea', { array: true, default: () => "'{}'" }) previousWebhookHashes: Buffer[];
  /** The last rotation. Null: none. */
  @Column('jsonb', { nullable: true }) webhookRotation: unknown;
  @Column('jsonb') capabilities: unknown;
  @Column('jsonb') owners: unknown;
  @Column('jsonb') health: unknown;
  /** When a replica inspects the account. Null: never. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) nextCheckAt: string | null;
  @Column('text') state: string;
  @Column('jsonb', { nullable: true }) problem: unknown;
  /** A setup that began at another number does not enable the account. */
  @Column('integer', { default: 0 }) disabledCount: number;
  @Column({ type: 'timestamptz', precision: 3 }) createdAt: string;
}
