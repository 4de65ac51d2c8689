import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A stored result, committed together with the data that it reports. */
@Entity('idempotency_key')
@Index('ix_idempotency_key_created', ['createdAt'])
export class IdempotencyKeyRow {
  @PrimaryColumn('text', { primaryKeyConstraintName: 'uq_idempotency_key' }) organizationId: string;
  @PrimaryColumn('text', { primaryKeyConstraintName: 'uq_idempotency_key' }) operation: string;
  @PrimaryColumn('text', { primaryKeyConstraintName: 'uq_idempotency_key' }) key: string;
  @Column('text') requestDigest: string;
  /** `json`, not `jsonb`: a repeat gets the same text, including the order of fields. */
  @Column('json', { nullable: true }) result: unknown;
  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' }) createdAt: string;
}
