import { Client, type Pool } from 'pg';
import { pollUntilEqual } from '../../scripts/demo/step';
import type { Steps } from './kill-test';

const LOCKS = 21_334;
/** `pg_locks` lists the whole server, and another file's gate may wait in a database beside this one. */
const IS_HERE = 'database = (select oid from pg_database where datname = current_database())';
/** The part of a name that Postgres keeps. */
const NAME_LENGTH = 60;

/**
 * A worker records each finished remote step by a write to one of these tables. The trigger notes the step, and stops
 * the transaction there if the test waits for that step.
 */
const GATE = `
  create table commit_gate (session_id uuid primary key, stop_at integer, lock_no integer, seen text[] not null default '{}');

  create function pass_commit_gate() returns trigger language plpgsql as $$
  declare
    about uuid := coalesce(to_jsonb(new) ->> 'session_id', to_jsonb(new) ->> 'id');
    what text := case tg_table_name
      when 'session' then case
        when to_jsonb(new) -> 'contact_id' is distinct from to_jsonb(old) -> 'contact_id' then 'contact'
        when to_jsonb(new) -> 'conversation_id' is distinct from to_jsonb(old) -> 'conversation_id' then 'conversation'
        when to_jsonb(new) -> 'status_writes' is distinct from to_jsonb(old) -> 'status_writes' then 'status write'
        when to_jsonb(new) -> 'recent_posts' is distinct from to_jsonb(old) -> 'recent_posts' then 'post' end
      when 'delivery' then case
        when to_jsonb(new) ->> 'destination' = 'PROVIDER' and to_jsonb(old) ->> 'state' = 'WAITING' and to_jsonb(new) ->> 'state' = 'DONE' then 'done: ' || (to_jsonb(new) ->> 'kind') end
      when 'message' then case
        when to_jsonb(old) ->> 'provider_message_id' is null and to_jsonb(new) ->> 'provider_message_id' is not null then 'message: ' || (to_jsonb(new) ->> 'text') end
      else case
        when to_jsonb(new) -> 'opened_for_agents' is distinct from to_jsonb(old) -> 'opened_for_agents' then 'opened for agents: ' || (to_jsonb(new) ->> 'opened_for_agents') end
      end;
    gate commit_gate;
  begin
    if what is null then return new; end if;
    what := left(what, ${NAME_LENGTH});
    insert into commit_gate (session_id, seen) values (about, array[what])
      on conflict (session_id) do update set seen = commit_gate.seen || what returning * into gate;
    if cardinality(gate.seen) = gate.stop_at then
      -- The only thing of an open transaction that others can read.
      perform set_config('application_name', what, true), pg_advisory_xact_lock(${LOCKS}, gate.lock_no);
    end if;
    return new;
  end $$;

  create trigger pass_commit_gate before update on session for each row execute function pass_commit_gate();
  create trigger pass_commit_gate before update on message for each row execute function pass_commit_gate();
  create trigger pass_commit_gate before update on delivery for each row execute function pass_commit_gate();
  create trigger pass_commit_gate before update on handoff for each row execute function pass_commit_gate();`;

export interface CommitGate extends Steps {
  close(): Promise<void>;
}

/** Stops a worker between the commit of a step at the remote and our own commit. */
export async function buildCommitGate(databaseUrl: string, sql: Pool): Promise<CommitGate> {
  const holder = new Client({ connectionString: databaseUrl });
  await holder.connect();
  await sql.query(GATE);
  let locks = 0;
  let locked: Promise<unknown> = Promise.resolve();

  async function of(sessionId: string): Promise<readonly string[]> {
    const {
      rows: [gate],
    } = await sql.query<{ seen: string[] }>('select seen from commit_gate where session_id = $1', [sessionId]);
    return gate?.seen ?? [];
  }
  const waitingAt = async (lock: number): Promise<string | undefined> =>
    (
      await sql.query<{ what: string }>(
        `
    select a.application_name as what from pg_locks l join pg_stat_activity a on a.pid = l.pid
    where l.locktype = 'advisory' and l.${IS_HERE} and l.classid = $1 and l.objid = $2 and not l.granted`,
        [LOCKS, lock],
      )
    ).rows[0]?.what;
  const waiting = async (): Promise<number> =>
    (
      await sql.query(
        `select 1 from pg_locks where locktype = 'advisory' and ${IS_HERE} and classid = $1 and not granted`,
        [LOCKS],
      )
    ).rows.length;

  return {
    of,
    async hold(sessionId, index) {
      const lock = ++locks;
      const at = (await of(sessionId)).length + index + 1;
      await (locked = locked.then(() => holder.query('select pg_advisory_lock($1, $2)', [LOCKS, lock])));
      await sql.query(
        `
        insert into commit_gate (session_id, stop_at, lock_no) values ($1, $2, $3)
        on conflict (session_id) do update set stop_at = excluded.stop_at, lock_no = excluded.lock_no`,
        [sessionId, at, lock],
      );
      return async () => {
        await pollUntilEqual(async () => (await waitingAt(lock)) !== undefined, true);
        return (await waitingAt(lock)) ?? 'never reached';
      };
    },
    async release() {
      // The dead process has already sent its commit. Without ending its backend, Postgres would run the commit as soon
      // as the lock is free.
      await sql.query(
        `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and ${IS_HERE} and classid = $1 and not granted`,
        [LOCKS],
      );
      await pollUntilEqual(waiting, 0);
      await sql.query('update commit_gate set stop_at = null');
      await holder.query('select pg_advisory_unlock_all()');
    },
    async close() {
      await holder.end();
    },
  };
}
