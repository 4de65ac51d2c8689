import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Up to where the changes of an organization's handoffs were removed: a cursor from before that has a gap. */
@Entity('feed_floor')
export class FeedFloorRow {
  @PrimaryColumn('text') organizationId: string;
  @Column('bigint') position: string;
  @Column('integer') seq: number;
}

/** Slow work that one replica at a time does; the end of its lease while it does. */
@Entity('upkeep')
export class UpkeepRow {
  @PrimaryColumn('text') name: string;
  @Column({ type: 'timestamptz', precision: 3 }) nextRunAt: string;
}
