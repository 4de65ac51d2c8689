import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** The address that a runtime wants its deliveries pushed to. SecretBox seals its secrets. */
@Entity('runtime_endpoint')
@Index('ix_runtime_endpoint_organization', ['organizationId'])
@Index('uq_runtime_endpoint_chatbot', ['organizationId', 'chatbotId'], {
  unique: true,
  where: "chatbot_id IS NOT NULL AND state <> 'REMOVED'",
})
@Index('uq_runtime_endpoint_all', ['organizationId'], {
  unique: true,
  where: "chatbot_id IS NULL AND state <> 'REMOVED'",
})
@Index('ix_runtime_endpoint_outdated', ['id'], { where: 'NOT are_lanes_current' })
export class RuntimeEndpointRow {
  @PrimaryColumn('uuid') id: string;
  @Column('text') organizationId: string;
  /** Null: for every chatbot without its own endpoint. */
  @Column('text', { nullable: true }) chatbotId: string | null;
  @Column('text') url: string;
  @Column('text') secretSealed: string;
  /** Newest first: `{ sealed, expiresAt }`. */
  @Column('jsonb', { default: [] }) previousSecrets: unknown;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) previousSecretExpiresAt: string | null;
  /**
   * UNVERIFIED | ACTIVE | DISABLED | REMOVED. A REMOVED endpoint is hidden and stays only until its lanes are rerouted.
   */
  @Column('text') state: string;
  @Column('text', { nullable: true }) disabledReason: string | null;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) disabledAt: string | null;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) firstFailureAt: string | null;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) lastFailureAt: string | null;
  @Column('text', { nullable: true }) lastFailureCode: string | null;
  @Column('integer', { nullable: true }) lastFailureStatus: number | null;
  /** Null: never verified, so it serves no chatbot yet. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) verifiedAt: string | null;
  /** False: lanes may not match this row yet; see reroute-lanes.ts. */
  @Column('boolean', { default: true }) areLanesCurrent: boolean;
  /** A position that was drawn after the change was committed. */
  @Column('bigint', { nullable: true }) reroutePosition: string | null;
  @Column({ type: 'timestamptz', precision: 3 }) createdAt: string;
}
