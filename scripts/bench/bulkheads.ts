import { Worker } from '../../src/delivery';
import { median, ms, quantile, ratio, table } from './figures';
import { idleProvider, openWorld } from './world';

const WELL = 'org-well';
const HANGING = 'org-hanging';
const BACKLOG = 2_000;
const SAMPLES = 300;
const quiet = { error: () => undefined, warn: () => undefined, info: () => undefined };

/** Turn to provider, of an account that is well, alone and beside one that never answers. */
export async function bulkheads(newDatabase: () => Promise<string>): Promise<string> {
  let hangingId = '';
  let letGo!: () => void;
  const held = new Promise<void>((resolve) => { letGo = resolve; });
  const provider = idleProvider((accountId) => (accountId === hangingId ? held : null));
  const world = await openWorld(await newDatabase(), 10, provider);
  const well = await world.enable(WELL);
  const sessions = await world.open(WELL, well.chatbotId, 50);
  const worker = new Worker(world.deps, { leaseMs: 60_000, width: 64, widthOfFarSide: 8, pollMs: 1_000 }, quiet);
  await worker.start();

  const times = async (): Promise<number[]> => {
    const found: number[] = [];
    for (let i = 0; i < SAMPLES; i++) {
      const { length } = provider.posted;
      const from = performance.now();
      await world.flows.recordEndUserMessage({ organizationId: WELL }, { sessionId: sessions[i % sessions.length]!, text: 'Hello?', attachments: [], messageId: null, idempotencyKey: `${from}-${i}` });
      worker.wake();
      while (provider.posted.length === length) await new Promise(setImmediate);
      found.push(performance.now() - from);
    }
    return found;
  };
  await times();
  const alone = await times();
  const hanging = await world.enable(HANGING);
  hangingId = hanging.accountId;
  for (const sessionId of await world.open(HANGING, hanging.chatbotId, BACKLOG))
    await world.flows.recordEndUserMessage({ organizationId: HANGING }, { sessionId, text: 'Hello?', attachments: [], messageId: null, idempotencyKey: sessionId });
  worker.wake();
  const beside = await times();
  letGo();
  await worker.stop();
  await world.end();
  return table(['turn → provider, of an account that is well', 'median', 'p99', 'ratio of medians'], [
    ['alone', ms(median(alone)), ms(quantile(alone, 0.99)), '1'],
    [`beside one that hangs with ${BACKLOG} talks waiting`, ms(median(beside)), ms(quantile(beside, 0.99)), ratio(median(beside), median(alone))],
  ]);
}
