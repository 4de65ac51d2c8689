import { setTimeout } from 'node:timers/promises';
import { ProviderUnavailableError } from '../../src/core/errors';
import { Worker } from '../../src/delivery';
import { median, ms, quantile, ratio, table, timed } from './figures';
import { idleProvider, openEnvironment, type BenchEnvironment } from './environment';

const HEALTHY_ORGANIZATION = 'org-well';
const BACKLOG = 250;
const ROUNDS = 5;
const SAMPLES = 60;
/** Time limit of a call to a hanging account. */
const CALL_LIMIT_MS = 1_000;
const silentLog = { error: () => undefined, warn: () => undefined, info: () => undefined };

type Others = 'none' | 'hanging' | 'dead';
const OTHERS = 8;

/**
 * Measures the time from message to provider for a healthy account: alone, with eight accounts whose calls all reach
 * their time limit, and with eight that refuse every connection. Each of the three has its own database and worker.
 */
export async function measureIsolation(newDatabase: () => Promise<string>): Promise<string> {
  const alone = await prepared(await newDatabase(), 'none');
  const hanging = await prepared(await newDatabase(), 'hanging');
  const dead = await prepared(await newDatabase(), 'dead');
  const all = [alone, hanging, dead];
  // Not counted: the first messages plan and warm up, and circuits open for unreachable accounts.
  for (const one of all) await one.times();
  // Alternating, so that the machine's other load affects all three.
  const found = all.map((): number[] => []);
  for (let round = 0; round < ROUNDS; round++)
    for (const [i, one] of all.entries()) found[i]!.push(...(await one.times()));
  for (const one of all) await one.end();
  const [none, hang, refuse] = found as [number[], number[], number[]];
  const row = (what: string, times: number[]): string[] => [
    what,
    ms(median(times)),
    ms(quantile(times, 0.99)),
    ratio(median(times), median(none)),
  ];
  return table(
    ['message → provider, of a healthy account', 'median', 'p99', 'ratio of medians'],
    [
      row('alone', none),
      row(`with ${OTHERS} that hang, each with ${BACKLOG} sessions waiting`, hang),
      row(`with ${OTHERS} that are down (connection refused), likewise`, refuse),
    ],
  );
}

async function prepared(databaseUrl: string, others: Others) {
  const away = new Set<string>();
  const fails = async (): Promise<never> => {
    if (others === 'hanging') await setTimeout(CALL_LIMIT_MS);
    throw new ProviderUnavailableError('This account refuses every call in this measurement.');
  };
  const provider = idleProvider(accountId => (away.has(accountId) ? fails() : null));
  const world = await openEnvironment(databaseUrl, 10, provider);
  const well = await world.enable(HEALTHY_ORGANIZATION);
  const sessions = await world.open(HEALTHY_ORGANIZATION, well.chatbotId, 50);
  for (let i = 0; i < (others === 'none' ? 0 : OTHERS); i++) {
    const organizationId = `org-${others}-${i}`;
    const { accountId, chatbotId } = await world.enable(organizationId);
    away.add(accountId);
    for (const sessionId of await world.open(organizationId, chatbotId, BACKLOG))
      await say(world, organizationId, sessionId, sessionId);
  }
  const worker = new Worker(
    world.deps,
    { leaseMs: 60_000, concurrency: 64, concurrencyPerRemote: 8, pollMs: 1_000 },
    silentLog,
  );
  await worker.start();
  let said = 0;
  async function times(): Promise<readonly number[]> {
    const took: number[] = [];
    for (let i = 0; i < SAMPLES; i++) {
      const { length } = provider.posted;
      await timed(took, async () => {
        await say(world, HEALTHY_ORGANIZATION, sessions[said % sessions.length]!, `message-${said++}`);
        worker.wake();
        while (provider.posted.length === length) await new Promise(setImmediate);
      });
    }
    return took;
  }
  return {
    times,
    async end() {
      await worker.stop();
      await world.end();
    },
  };
}

const say = (world: BenchEnvironment, organizationId: string, sessionId: string, idempotencyKey: string) =>
  world.flows.recordEndUserMessage(
    { organizationId },
    { sessionId, text: 'Hello?', attachments: [], messageId: null, idempotencyKey },
  );
