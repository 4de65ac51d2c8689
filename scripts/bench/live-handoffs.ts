import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { Pool } from 'pg';
import { RuntimeDeliveriesDocument } from '../../examples/generated/client';
import { PACE } from '../../src/providers/chatwoot/pace';
import { startChatwootDouble } from '../../src/providers/chatwoot/testing/double';
import { ChatwootStage } from '../demo/chatwoot-stage';
import { openHouse } from '../demo/house';
import { Runtime } from '../demo/runtime';
import { SET_UP, Story } from '../demo/story';
import { tell } from '../demo/tell';
import { median, ms, quantile, table } from './figures';

const SIZES = (process.env.BENCH_LIVE ?? '300,2000').split(',').map(Number);
const SAMPLES = 60;
/** Until what the handoffs' openings left behind is over. */
const CALM_MS = 45_000;
/** Between two replies of agents. */
const EVERY_MS = 1_000;
const AT_ONCE = 6;

/** Handoffs are made as fast as the machine can; only what is measured keeps the pace. */
async function withoutPace<T>(work: () => Promise<T>): Promise<T> {
  const pace = PACE as { requestsPerMinute: number; burst: number };
  const { requestsPerMinute, burst } = pace;
  Object.assign(pace, { requestsPerMinute: 10_000_000, burst: 1_000_000 });
  try {
    return await work();
  } finally {
    Object.assign(pace, { requestsPerMinute, burst });
  }
}

/** An agent's reply, until the runtime's subscription has it, while so many handoffs are live on one account. */
async function measured(databaseUrl: string, size: number): Promise<string[]> {
  const double = await startChatwootDouble();
  const arrivals = new Map<string, (now: number) => void>();
  const house = await openHouse(databaseUrl);
  const sql = new Pool({ connectionString: databaseUrl, max: 2 });
  const story = new Story(new ChatwootStage(double.baseUrl, double.platformToken), house.operator, house.bot);
  if (await tell(SET_UP, story, { log: () => undefined, error: console.error }) !== 0) throw new Error('The set-up of the measurement failed.');
  await withoutPace(async () => {
    let made = 0;
    await Promise.all(Array.from({ length: AT_ONCE }, async () => {
      while (made < size - 1) {
        const talk = new Runtime(house.bot, story.chatbotId, `live-${made++}`);
        await talk.open({ name: `Live ${made}` });
        await talk.requestHandoff();
      }
    }));
    const queued = async () => Number((await sql.query<{ count: string }>("select count(*) from handoff where state = 'QUEUED'")).rows[0]!.count);
    while (await queued() < size - 1) await setTimeout(500);
    // The last: agents find it at the top of their list.
    await story.runtime.open({ name: story.endUser });
    await story.runtime.userSays('I want to talk to a person.');
    await story.runtime.requestHandoff({ target: { team: story.teamId } });
    while (await queued() < size) await setTimeout(500);
  });
  void (async () => {
    for await (const { supportRuntimeDeliveries: delivery } of house.bot.subscribe(RuntimeDeliveriesDocument, { chatbotId: story.chatbotId }))
      if (delivery.notice.__typename === 'SupportMessageNotice') arrivals.get(delivery.notice.message.text)?.(performance.now());
  })().catch(() => undefined);
  await setTimeout(CALM_MS);
  double.clearRequests();
  const from = performance.now();
  const times: number[] = [];
  for (let i = 0; i < SAMPLES; i++) {
    const text = `a-${randomUUID()}`;
    const arrived = new Promise<number>((resolve) => arrivals.set(text, resolve));
    const said = performance.now();
    await story.adam.reply(story.endUser, text);
    times.push(await arrived - said);
    await setTimeout(Math.max(0, EVERY_MS - (performance.now() - said)));
  }
  const perMinute = (double.requests().length * 60_000) / (performance.now() - from);
  await house.stop();
  await sql.end();
  await double.stop();
  return [String(size), ms(median(times)), ms(quantile(times, 0.99)), perMinute.toFixed(0)];
}

/** How many live handoffs one account bears. `BENCH_LIVE` names other numbers of them. */
export async function liveHandoffs(newDatabase: () => Promise<string>): Promise<string> {
  const rows: string[][] = [];
  for (const size of SIZES) rows.push(await measured(await newDatabase(), size));
  return table(['live handoffs of one account', 'agent\'s reply → runtime, median', 'p99', 'requests a minute at the double, the replies with them'], rows);
}
