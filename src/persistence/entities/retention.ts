import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The position up to which retention removed an organization's handoff changes. A cursor before it has a gap. */
@Entity('feed_floor')
export class FeedFloorRow {
  @PrimaryColumn('text') organizationId: string;
  @Column('bigint') position: string;
  @Column('integer') seq: number;
}

/** Slow work that one replica at a time does. While it does, `nextRunAt` is the end of its lease. */
@Entity('maintenance_lease')
export class MaintenanceLeaseRow {
  @PrimaryColumn('text') name: string;
  @Column({ type: 'timestamptz', precision: 3 }) nextRunAt: string;
}
