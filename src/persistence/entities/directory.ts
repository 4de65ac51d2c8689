import { Column, Entity, ForeignKey, Index, PrimaryColumn, Unique } from 'typeorm';
import { AccountRow } from './account';

/** A team as the provider last listed it. `goneAt`: no longer listed; old handoffs still name it. */
@Entity('team')
@Unique('uq_team_external', ['accountId', 'externalId'])
@Index('ix_team_organization', ['organizationId'])
export class TeamRow {
  @PrimaryColumn('uuid') id: string;
  @Column('text') organizationId: string;
  @ForeignKey(() => AccountRow) @Column('uuid') accountId: string;
  @Column('text') externalId: string;
  @Column('text') name: string;
  /** Our agents' ids; null when nobody has set them from here. */
  @Column('jsonb', { nullable: true }) memberIds: unknown;
  /** Whether the provider should give its conversations to members by itself; null when nobody has said so from here. */
  @Column('boolean', { nullable: true }) autoAssign: boolean | null;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) goneAt: string | null;
}

/** A person as the provider last listed them. */
@Entity('agent')
@Unique('uq_agent_external', ['accountId', 'externalId'])
@Index('ix_agent_user', ['organizationId', 'userId'])
export class AgentRow {
  @PrimaryColumn('uuid') id: string;
  @Column('text') organizationId: string;
  @ForeignKey(() => AccountRow) @Column('uuid') accountId: string;
  @Column('text') externalId: string;
  @Column('text') name: string;
  @Column('text', { nullable: true }) email: string | null;
  @Column('text') role: string;
  @Column('text', { nullable: true }) userId: string | null;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) goneAt: string | null;
}

/** Which of the platform's users an e-mail address belongs to, as an operator said: agents with that address are linked to them. */
@Entity('user_email')
export class UserEmailRow {
  @PrimaryColumn('text') organizationId: string;
  /** Lower case. */
  @PrimaryColumn('text') email: string;
  @Column('text') userId: string;
}
