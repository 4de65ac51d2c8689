import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { Pool } from 'pg';
import { RuntimeDeliveriesDocument } from '../../examples/generated/client';
import { startChatwootDouble } from '../../src/providers/chatwoot/testing/double';
import { ChatwootDemoAdapter } from '../demo/chatwoot-adapter';
import { startTestService } from '../demo/test-service';
import { SETUP_STEPS, DemoContext } from '../demo/demo-steps';
import { runSteps } from '../demo/run-steps';
import { median, ms, quantile, table } from './figures';

const SIZES = (process.env.BENCH_LIVE ?? '300,2000').split(',').map(Number);
const SAMPLES = 30;
/** Longer than the shortest timer, so that the measurement begins in normal operation. */
const WARM_UP_MS = 25_000;
/** Time between two replies of agents. */
const EVERY_MS = 1_000;

/** Creates open conversations through Chatwoot's own API. */
async function openConversations(
  baseUrl: string,
  accountId: string,
  token: string,
  inboxId: string,
  count: number,
): Promise<readonly string[]> {
  const call = async (path: string, body: object): Promise<any> =>
    (
      await fetch(`${baseUrl}/api/v1/accounts/${accountId}${path}`, {
        method: 'POST',
        headers: { 'api-access-token': token, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
    ).json();
  const ids: string[] = [];
  while (ids.length < count) {
    const {
      payload: { contact, contact_inbox: way },
    } = await call('/contacts', { inbox_id: Number(inboxId), identifier: randomUUID() });
    const { id } = await call('/conversations', {
      source_id: way.source_id,
      inbox_id: Number(inboxId),
      contact_id: contact.id,
      status: 'open',
    });
    // With an agent bot a conversation begins as pending, whatever status was requested.
    await call(`/conversations/${id}/toggle_status`, { status: 'open' });
    ids.push(String(id));
  }
  return ids;
}

/**
 * Inserts the handoffs of these conversations as they are after queuing and a sync. Each has its timer, as the measured
 * version sets it: every 20 s, or every 15 minutes if accounts are scanned.
 */
async function queuedIn(sql: Pool, accountId: string, conversationIds: readonly string[]): Promise<void> {
  const { rowCount: isScanned } = await sql.query(
    "select from information_schema.columns where table_name = 'account_scan' and column_name = 'scanned_at'",
  );
  const timer = isScanned ? ['is_timer', 'true', '900'] : ['requested_at', 'null', '20'];
  await sql.query(
    `
    with opened as (
      insert into session (id, organization_id, chatbot_id, inbox_id, account_id, channel, external_id, end_user, control, epoch, last_message_seq, last_event_seq, status_writes, opened_at,
        contact_id, conversation_id, live_handoff_id, last_view, state_read_at)
      select gen_random_uuid(), i.organization_id, i.chatbot_id, i.id, i.account_id, 'bench', 'live-' || c, '{"attributes": {}}', 'NONE', 2, 0, 1, 0, now(), '1', c, gen_random_uuid(),
        '{"status": "OPEN", "agent": null, "teamId": null}', now()
      from inbox i, unnest($2::text[]) c where i.account_id = $1 returning *
    ), asked as (
      insert into handoff (id, organization_id, chatbot_id, session_id, origin, state, fields, links, requested_at, queued_at, history_through_seq, opened_for_agents)
      select live_handoff_id, organization_id, chatbot_id, id, 'REQUEST', 'QUEUED', '{}', '[]', now(), now(), 0, 'YES' from opened
    )
    insert into lane (session_id, destination, organization_id, remote_id, next_run_at, ${timer[0]})
    select id, 'SYNC', organization_id, account_id, now() + random() * interval '${timer[2]} s', ${timer[1]} from opened`,
    [accountId, conversationIds],
  );
}

/**
 * Measures the time from an agent's reply to the runtime's subscription, while an account has this many live handoffs.
 */
async function measured(databaseUrl: string, size: number): Promise<string[]> {
  const double = await startChatwootDouble();
  const arrivals = new Map<string, (now: number) => void>();
  const service = await startTestService(databaseUrl);
  const sql = new Pool({ connectionString: databaseUrl, max: 2 });
  const story = new DemoContext(
    new ChatwootDemoAdapter(double.baseUrl, double.platformToken),
    service.operator,
    service.bot,
  );
  if ((await runSteps(SETUP_STEPS, story, { log: () => undefined, error: console.error })) !== 0)
    throw new Error("The setup of the measurement failed; the demo's step above names the cause.");
  const {
    rows: [account],
  } = await sql.query<{ id: string; external_id: string; inbox: string }>(
    'select a.id, a.external_id, i.external_id as inbox from support_account a join inbox i on i.account_id = a.id',
  );
  const {
    rows: [bot],
  } = await sql.query<{ settings: { botUserId: number } }>('select settings from support_account');
  const { access_token: token } = (await (
    await fetch(`${double.baseUrl}/platform/api/v1/users/${bot!.settings.botUserId}`, {
      headers: { 'api-access-token': double.platformToken },
    })
  ).json()) as { access_token: string };
  const conversations = await openConversations(double.baseUrl, account!.external_id, token, account!.inbox, size - 1);
  await double.whenIdle();
  await queuedIn(sql, account!.id, conversations);
  // The last one, so that agents find it at the top of their list.
  await story.runtime.open({ name: story.endUser });
  await story.runtime.userSays('I want to talk to a person.');
  await story.runtime.requestHandoff({ target: { team: story.teamId } });
  while ((await story.runtime.explain()).handoff?.state !== 'QUEUED') await setTimeout(50);
  void (async () => {
    for await (const { supportRuntimeDeliveries: delivery } of service.bot.subscribe(RuntimeDeliveriesDocument, {
      chatbotId: story.chatbotId,
    }))
      if (delivery.notice.__typename === 'SupportMessageNotice')
        arrivals.get(delivery.notice.message.text)?.(performance.now());
  })().catch(() => undefined);
  await setTimeout(WARM_UP_MS);
  double.clearRequests();
  const from = performance.now();
  const times: number[] = [];
  for (let i = 0; i < SAMPLES; i++) {
    const text = `a-${randomUUID()}`;
    const arrived = new Promise<number>(resolve => arrivals.set(text, resolve));
    const said = performance.now();
    await story.adam.reply(story.endUser, text);
    times.push((await arrived) - said);
    await setTimeout(Math.max(0, EVERY_MS - (performance.now() - said)));
  }
  const perMinute = (double.requests().length * 60_000) / (performance.now() - from);
  await service.stop();
  await sql.end();
  await double.stop();
  return [String(size), ms(median(times)), ms(quantile(times, 0.99)), perMinute.toFixed(0)];
}

/** Measures how many live handoffs one account can have. `BENCH_LIVE` names other numbers. */
export async function measureLiveHandoffs(newDatabase: () => Promise<string>): Promise<string> {
  const rows: string[][] = [];
  for (const size of SIZES) rows.push(await measured(await newDatabase(), size));
  return table(
    [
      'live handoffs of one account',
      "agent's reply → runtime, median",
      'p99',
      'requests a minute at the double, the replies with them',
    ],
    rows,
  );
}
