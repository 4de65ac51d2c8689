import { ChatwootDemoAdapter } from './chatwoot-adapter';
import { cleanUp } from './clean-up';
import { countCalls, printCalls } from './calls';
import { startTestService } from './test-service';
import { DemoContext, DEMO_STEPS } from './demo-steps';
import { runSteps } from './run-steps';
import { CallLog } from './call-log';

export interface ChatwootDemoOptions {
  readonly url: string;
  readonly platformToken: string;
  /** An empty database for this run only. */
  readonly databaseUrl: string;
  /** Address at which that Chatwoot reaches this service. If omitted, this machine's own address. */
  readonly publicUrl?: string | undefined;
  /** Address at which the service then listens. */
  readonly host?: string | undefined;
  readonly port?: string | undefined;
  readonly env?: Readonly<Record<string, string>>;
  readonly steps?: typeof DEMO_STEPS;
  readonly out: Pick<Console, 'log' | 'error'>;
  /** Ends the demo early. Everything that it created is deleted all the same. */
  readonly signal?: AbortSignal;
}

/**
 * Shorter than a step's time limit, so that the demo also works without webhooks, if Chatwoot cannot reach this
 * machine. Longer than counting the calls of one action takes, so that the timer's reads are not counted.
 */
const SCAN_SETTINGS = { SUPPORT_LIVE_SCAN_INTERVAL_SECONDS: '10' };

const given = (values: Readonly<Record<string, string | undefined>>) =>
  Object.fromEntries(Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined));

/**
 * Runs the whole demo on any Chatwoot. Whatever happens, everything that it created is deleted at the end, except an
 * empty, suspended account.
 */
export async function runOnChatwoot({
  url,
  platformToken,
  databaseUrl,
  publicUrl,
  host,
  port,
  env = {},
  steps = DEMO_STEPS,
  out,
  signal,
}: ChatwootDemoOptions): Promise<0 | 1> {
  const baseUrl = url.replace(/\/+$/, '');
  const traffic = new CallLog(baseUrl);
  const adapter = new ChatwootDemoAdapter(baseUrl, platformToken, traffic.wrapFetch('agents'));
  const interrupted = new Promise<never>((_, reject) =>
    signal?.addEventListener('abort', () => reject(new Error('Interrupted.')), { once: true }),
  );
  interrupted.catch(() => {});
  let code: 0 | 1 = 1;
  try {
    const service = await startTestService(
      databaseUrl,
      { ...SCAN_SETTINGS, ...given({ SUPPORT_PUBLIC_URL: publicUrl, HOST: host, PORT: port }), ...env },
      fetch => traffic.wrapFetch('service', fetch),
    );
    try {
      const story = new DemoContext(adapter, service.operator, service.bot);
      code = await Promise.race([runSteps(steps, story, out), interrupted]);
      if (code === 0 && steps === DEMO_STEPS)
        printCalls(await Promise.race([countCalls(story, service.bot, traffic), interrupted]), out);
    } finally {
      await service.stop();
    }
  } catch (error) {
    out.error(`The demo failed: ${error instanceof Error ? error.message : String(error)}`);
    code = 1;
  }
  const left = await cleanUp({ baseUrl, platformToken, traffic, accountName: adapter.enableSettings.name });
  if (left.length === 0) {
    out.log(
      'The users of this run and everything in its account were deleted. The account itself is empty, renamed and suspended; leave it so, because Chatwoot can no longer list accounts once one was deleted.',
    );
    return code;
  }
  out.error(
    `These could not be removed: ${left.join(', ')}. Remove them by hand (super-admin console; suspend accounts, do not delete them).`,
  );
  return 1;
}
