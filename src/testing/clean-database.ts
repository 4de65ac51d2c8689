import type { Client } from 'pg';

/** What an emptied database must equal, so that no test can distinguish it from a new one. */
export interface CleanState {
  /** Tables of the schema `public`, with the rows that migrations put into them, as JSON. */
  readonly tables: readonly { readonly name: string; readonly rows: string }[];
  /** Changes with every change to anything but rows. */
  readonly mark: string;
  readonly bytes: number;
}

/**
 * A catalog row's `xmin` is the transaction that wrote it, and a clone has the template's; so equal ones were not
 * written since. TRUNCATE writes those of tables, and changes only the place of the rows. Statistics exist once ANALYZE
 * has run.
 */
const MARK = `
  select md5(coalesce(string_agg(part, ',' order by part), '')) from (
    select format('class %s', to_jsonb(c) - '{relfilenode,relpages,reltuples,relallvisible,relallfrozen,relfrozenxid,relminmxid}'::text[]) from pg_class c where oid >= 16384
    union all select format('column %s %s %s', attrelid, attnum, xmin) from pg_attribute where attrelid >= 16384
    union all select format('default %s %s', oid, xmin) from pg_attrdef
    union all select format('constraint %s %s', oid, xmin) from pg_constraint where oid >= 16384
    union all select format('index %s %s', indexrelid, xmin) from pg_index where indexrelid >= 16384
    union all select format('trigger %s %s', oid, xmin) from pg_trigger
    union all select format('function %s %s', oid, xmin) from pg_proc where oid >= 16384
    union all select format('type %s %s', oid, xmin) from pg_type where oid >= 16384
    union all select format('schema %s %s', oid, xmin) from pg_namespace where oid >= 16384
    union all select format('extension %s %s', oid, xmin) from pg_extension where oid >= 16384
    union all select format('setting of role %s', setrole) from pg_db_role_setting where setdatabase = (select oid from pg_database where datname = current_database())
    union all select format('statistics %s', starelid) from pg_statistic where starelid >= 16384
  ) as parts(part)`;

export async function readMark(client: Pick<Client, 'query'>): Promise<Pick<CleanState, 'mark' | 'bytes'>> {
  const {
    rows: [state],
  } = await client.query<Pick<CleanState, 'mark' | 'bytes'>>(
    `select (${MARK}) as mark, pg_database_size(current_database())::int as bytes`,
  );
  return state!;
}

export async function readCleanState(client: Pick<Client, 'query'>): Promise<CleanState> {
  const { rows: names } = await client.query<{ name: string }>(
    "select quote_ident(tablename) as name from pg_tables where schemaname = 'public' order by 1",
  );
  const union = names
    .map(({ name }) => `select '${name}' as name, coalesce(json_agg(r), '[]')::text as rows from ${name} r`)
    .join(' union all ');
  const { rows: tables } = await client.query<CleanState['tables'][number]>(union);
  return { ...(await readMark(client)), tables };
}

/**
 * Empties all tables, restores the migrations' rows and restarts the sequences, in one transaction. Needs a superuser:
 * it disables triggers and foreign keys.
 */
export function cleaningSql({ tables }: CleanState): string {
  const refill = tables.map(
    ({ name, rows }) =>
      `delete from ${name};${rows === '[]' ? '' : `insert into ${name} overriding system value select * from json_populate_recordset(null::${name}, '${rows.replaceAll("'", "''")}');`}`,
  );
  const restart = 'select setval(seqrelid, seqstart, false) from pg_sequence;';
  return `begin; set local session_replication_role = replica; ${refill.join(' ')} ${restart} commit`;
}
