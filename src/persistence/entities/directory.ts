import { Column, Entity, ForeignKey, Index, PrimaryColumn, Unique } from 'typeorm';
import { AccountRow } from './account';

/** A team as the provider last listed it. `goneAt`: since when it is no longer listed; old handoffs still name it. */
@Entity('team')
@Unique('uq_team_external', ['accountId', 'externalId'])
@Index('ix_team_organization', ['organizationId'])
export class TeamRow {
  @PrimaryColumn('uuid') id: string;
  @Column('text') organizationId: string;
  @ForeignKey(() => AccountRow) @Column('uuid') accountId: string;
  @Column('text') externalId: string;
  @Column('text') name: string;
  /** Our agents' ids; null if never set from here. */
  @Column('jsonb', { nullable: true }) memberIds: unknown;
  /** Whether the provider should assign the team's conversations to members by itself; null if never set from here. */
  @Column('boolean', { nullable: true }) autoAssign: boolean | null;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) goneAt: string | null;
}

/** An agent as the provider last listed them. */
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

/** The platform user of an e-mail address, as an operator set it. Agents with that address are linked to the user. */
@Entity('user_email')
export class UserEmailRow {
  @PrimaryColumn('text') organizationId: string;
  /** Lower case. */
  @PrimaryColumn('text') email: string;
  @Column('text') userId: string;
}
