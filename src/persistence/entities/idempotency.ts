import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A stored answer, committed together with the facts that it answers for. */
@Entity('idempotency_key')
@Index('ix_idempotency_key_created', ['createdAt'])
export class IdempotencyKeyRow {
  @PrimaryColumn('text', { primaryKeyConstraintName: 'uq_idempotency_key' }) organizationId: string;
  @PrimaryColumn('text', { primaryKeyConstraintName: 'uq_idempotency_key' }) operation: string;
  @PrimaryColumn('text', { primaryKeyConstraintName: 'uq_idempotency_key' }) key: string;
  @Column('text') requestDigest: string;
  /** `json`, not `jsonb`: a repeat gets the very text, with its order of fields. */
  @Column('json', { nullable: true }) answer: unknown;
  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' }) createdAt: string;
}
