import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { RuntimeDeliveriesDocument } from '../../examples/generated/client';
import { startChatwootDouble } from '../../src/providers/chatwoot/testing/double';
import { ChatwootDemoAdapter } from '../demo/chatwoot-adapter';
import { startTestService } from '../demo/test-service';
import { Runtime } from '../demo/runtime';
import { SETUP_STEPS, DemoContext } from '../demo/demo-steps';
import { runSteps } from '../demo/run-steps';
import { median, ms, quantile, table } from './figures';

const SAMPLES = 150;
/** Other sessions during the measurement, each with a message at this interval. */
const LOAD = { sessions: 20, everyMs: 100 };

/** Promises by name, resolved from elsewhere. */
class Arrivals {
  private readonly at = new Map<string, (now: number) => void>();
  expect(what: string): Promise<number> {
    return new Promise(resolve => {
      this.at.set(what, resolve);
    });
  }
  arrived(what: string): void {
    this.at.get(what)?.(performance.now());
    this.at.delete(what);
  }
}

/**
 * Measures the time from an end-user's message to its storage in Chatwoot, and from an agent's reply to the runtime's
 * subscription, through webhook and sync.
 */
export async function measureLatency(newDatabase: () => Promise<string>): Promise<string> {
  const double = await startChatwootDouble();
  const arrivals = new Arrivals();
  const watched =
    (fetch: typeof globalThis.fetch): typeof globalThis.fetch =>
    async (input, init) => {
      const text = typeof init?.body === 'string' ? /"content":"(m-[\w-]+)"/.exec(init.body)?.[1] : undefined;
      const response = await fetch(input, init);
      if (text !== undefined) arrivals.arrived(text);
      return response;
    };
  const service = await startTestService(await newDatabase(), {}, watched);
  const silentLog = { log: () => undefined, error: console.error };
  const story = new DemoContext(
    new ChatwootDemoAdapter(double.baseUrl, double.platformToken),
    service.operator,
    service.bot,
  );
  if ((await runSteps(SETUP_STEPS, story, silentLog)) !== 0)
    throw new Error("The setup of the measurement failed; the demo's step above names the cause.");
  await story.runtime.open({ name: story.endUser });
  await story.runtime.userSays('I want to talk to a person.');
  await story.runtime.requestHandoff({ target: { team: story.teamId } });
  while ((await story.runtime.explain()).handoff?.state !== 'QUEUED') await setTimeout(20);
  void (async () => {
    for await (const { supportRuntimeDeliveries: delivery } of service.bot.subscribe(RuntimeDeliveriesDocument, {
      chatbotId: story.chatbotId,
    }))
      if (delivery.notice.__typename === 'SupportMessageNotice') arrivals.arrived(delivery.notice.message.text);
  })().catch(() => undefined);
  await setTimeout(500);

  const measured = async (): Promise<{ toProvider: number[]; toSubscriber: number[] }> => {
    const [toProvider, toSubscriber]: [number[], number[]] = [[], []];
    for (let i = 0; i < SAMPLES; i++) {
      const up = `m-${randomUUID()}`;
      const reached = arrivals.expect(up);
      const from = performance.now();
      await story.runtime.userSays(up);
      toProvider.push((await reached) - from);
      const down = `a-${randomUUID()}`;
      const collected = arrivals.expect(down);
      await story.adam.reply(story.endUser, down);
      const said = performance.now();
      toSubscriber.push(Math.max(0, (await collected) - said));
      // Slow enough for Chatwoot's limit of 200 messages a minute in a conversation.
      await setTimeout(650);
    }
    return { toProvider, toSubscriber };
  };
  const idle = await measured();
  let isOver = false;
  const load = Array.from({ length: LOAD.sessions }, async (_, i) => {
    const runtime = new Runtime(service.bot, story.chatbotId, `load-${i}`);
    await runtime.open({ name: `Load ${i}` });
    while (!isOver) {
      await runtime.userSays(`Message at ${Date.now()}`);
      await setTimeout(LOAD.everyMs * LOAD.sessions * Math.random());
    }
  });
  const loaded = await measured();
  isOver = true;
  await Promise.all(load);
  await service.stop();
  await double.stop();
  const row = (what: string, samples: readonly number[]): string[] => [
    what,
    ms(median(samples)),
    ms(quantile(samples, 0.99)),
  ];
  return table(
    ['way', 'median', 'p99'],
    [
      row('end-user → stored at Chatwoot, idle', idle.toProvider),
      row('the same beside 20 other sessions', loaded.toProvider),
      row("agent's reply → runtime's subscription, idle", idle.toSubscriber),
      row('the same beside 20 other sessions', loaded.toSubscriber),
    ],
  );
}
