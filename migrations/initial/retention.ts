/** What the removal of old rows stores. */
export const CREATE_RETENTION: readonly string[] = [
  // Where each organization's feed begins after the removal of old events.
  `create table feed_floor (
    organization_id text constraint pk_feed_floor primary key,
    position bigint not null,
    seq integer not null
  )`,

  // Recurring work that one replica at a time does.
  `create table maintenance_lease (
    name text constraint pk_maintenance_lease primary key,
    next_run_at timestamptz(3) not null
  )`,

  "insert into maintenance_lease (name, next_run_at) values ('retention', now())",
];

export const DROP_RETENTION: readonly string[] = ['drop table maintenance_lease', 'drop table feed_floor'];
