import { randomUUID } from 'node:crypto';
import { Pool } from 'pg';
import { done } from '../../examples/support-client';
import { startTestService } from '../demo/test-service';
import { ratio, rate, table } from './figures';
import { idleProvider, openEnvironment } from './environment';

const ORG = 'org-messages';
const SESSIONS = 2_000;
const ROUND_MS = 3_000;
const WIDTHS = [1, 8, 32] as const;

/** Writes the rows of one recorded message in one call to the server: the rate that Postgres itself reaches here. */
const SAME_WRITES = `
  create function bench_message(session_of uuid, message_id uuid, k text) returns void language plpgsql as $$
  declare s session; a uuid; e bigint;
  begin
    select * into s from session where id = session_of for no key update;
    perform pg_advisory_xact_lock_shared((21333::bigint << 48) + last_value) from feed_position;
    perform 1 from idempotency_key where organization_id = s.organization_id and operation = 'bench' and key = k;
    insert into message (id, organization_id, session_id, seq, author, visibility, text, attachments, caller_message_id, created_at)
      values (message_id, s.organization_id, session_of, s.last_message_seq + 1, 'END_USER', 'PUBLIC', 'Where is my order?', '[]', k, now());
    insert into event (session_id, seq, organization_id, chatbot_id, type, body, at, position)
      values (session_of, s.last_event_seq + 1, s.organization_id, s.chatbot_id, 'MESSAGE_RECORDED', '{"type": "MESSAGE_RECORDED"}', now(), nextval('feed_position'));
    insert into delivery (session_id, organization_id, chatbot_id, destination, state, kind, payload, position, created_at)
      values (session_of, s.organization_id, s.chatbot_id, 'PROVIDER', 'WAITING', 'POST_MESSAGE', '{"kind": "POST_MESSAGE"}', 0, now()) returning id into e;
    insert into lane (session_id, destination, organization_id, remote_id, head, tail, next_run_at) values (session_of, 'PROVIDER', s.organization_id, s.account_id, e, e, now())
      on conflict on constraint pk_lane do update set tail = excluded.tail, next_run_at = coalesce(lane.next_run_at, excluded.next_run_at);
    insert into idempotency_key (organization_id, operation, key, request_digest, result) values (s.organization_id, 'bench', k, k, '{}');
    update session set last_message_seq = last_message_seq + 1, last_event_seq = last_event_seq + 1 where id = session_of;
  end $$`;

const anyOf = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)]!;

/**
 * Measures recorded end-user messages per second and Postgres' own rate for the same rows, alternating on one database.
 */
export async function measureMessages(newDatabase: () => Promise<string>): Promise<string> {
  const databaseUrl = await newDatabase();
  const world = await openEnvironment(databaseUrl, Math.max(...WIDTHS), idleProvider());
  const { chatbotId } = await world.enable(ORG);
  const sessions = await world.open(ORG, chatbotId, SESSIONS);
  await world.pool.query(SAME_WRITES);
  const raw = new Pool({ connectionString: databaseUrl, max: Math.max(...WIDTHS) });
  // No worker may take deliveries: the service only serves requests here.
  await world.pool.query('update lane set next_run_at = null');
  const service = await startTestService(databaseUrl, { SUPPORT_POOL_SIZE: '32' });
  const operatorOf = { ...service.gateway, 'x-organization-id': ORG };
  const rows: string[][] = [];
  for (const width of WIDTHS) {
    const postgres = () =>
      rate(width, ROUND_MS, () =>
        raw.query({
          name: 'message',
          text: 'select bench_message($1, $2, $3)',
          values: [anyOf(sessions), randomUUID(), randomUUID()],
        }),
      );
    const flow = () =>
      rate(width, ROUND_MS, () =>
        world.flows.recordEndUserMessage(
          { organizationId: ORG },
          {
            sessionId: anyOf(sessions),
            text: 'Where is my order?',
            attachments: [],
            messageId: null,
            idempotencyKey: randomUUID(),
          },
        ),
      );
    const http = () =>
      rate(width, ROUND_MS, async () => {
        const input = { sessionId: anyOf(sessions), text: 'Where is my order?', idempotencyKey: randomUUID() };
        const answer = await fetch(`${service.url}/graphql`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...operatorOf },
          body: JSON.stringify({ query: RECORD, variables: { input } }),
        });
        done(
          ((await answer.json()) as { data: { recordEndUserMessage: { userErrors: [] } } }).data.recordEndUserMessage,
        );
      });
    await postgres();
    const own = await postgres();
    const flows = await flow();
    const endToEnd = await http();
    rows.push([
      String(width),
      `${own.toFixed(0)}/s`,
      `${flows.toFixed(0)}/s`,
      ratio(flows, own),
      `${endToEnd.toFixed(0)}/s`,
      ratio(endToEnd, own),
    ]);
  }
  await service.stop();
  await raw.end();
  await world.end();
  return table(
    [
      'callers',
      "Postgres' own",
      'our transaction',
      'ratio',
      'as a mutation over HTTP, client in the same process',
      'ratio',
    ],
    rows,
  );
}

const RECORD =
  'mutation ($input: RecordEndUserMessageInput!) { recordEndUserMessage(input: $input) { mayReply userErrors { code } } }';
