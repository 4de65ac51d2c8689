import { ChatwootStage } from './chatwoot-stage';
import { cleanUp } from './clean-up';
import { countCalls, printCalls } from './calls';
import { openHouse } from './house';
import { Story, STORY } from './story';
import { tell } from './tell';
import { Traffic } from './traffic';

export interface PlayOnChatwoot {
  readonly url: string;
  readonly platformToken: string;
  /** Empty, and only for this. */
  readonly databaseUrl: string;
  /** Where that Chatwoot reaches this service; without one it is this machine's own address. */
  readonly publicUrl?: string | undefined;
  /** Where the service listens then. */
  readonly host?: string | undefined;
  readonly port?: string | undefined;
  readonly env?: Readonly<Record<string, string>>;
  readonly steps?: typeof STORY;
  readonly out: Pick<Console, 'log' | 'error'>;
  /** Ends the playing early; what was made is deleted all the same. */
  readonly signal?: AbortSignal;
}

/**
 * Shorter than a story's patience: it goes well without webhooks too, where Chatwoot cannot reach this machine. Longer than
 * it takes to count one thing's calls: what the timer reads is no part of them.
 */
const POLLING = { SUPPORT_LIVE_POLL_SECONDS: '10' };

const given = (values: Readonly<Record<string, string | undefined>>) =>
  Object.fromEntries(Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined));

/** The whole story on any Chatwoot. Whatever happens, what was made there is deleted at the end, but for an empty, suspended account. */
export async function playOnChatwoot({ url, platformToken, databaseUrl, publicUrl, host, port, env = {}, steps = STORY, out, signal }: PlayOnChatwoot): Promise<0 | 1> {
  const baseUrl = url.replace(/\/+$/, '');
  const traffic = new Traffic(baseUrl);
  const stage = new ChatwootStage(baseUrl, platformToken, traffic.through('people'));
  const interrupted = new Promise<never>((_, reject) => signal?.addEventListener('abort', () => reject(new Error('Interrupted.')), { once: true }));
  interrupted.catch(() => {});
  let code: 0 | 1 = 1;
  try {
    const house = await openHouse(databaseUrl, { ...POLLING, ...given({ SUPPORT_PUBLIC_URL: publicUrl, HOST: host, PORT: port }), ...env }, (fetch) => traffic.through('service', fetch));
    try {
      const story = new Story(stage, house.operator, house.bot);
      code = await Promise.race([tell(steps, story, out), interrupted]);
      if (code === 0 && steps === STORY) printCalls(await Promise.race([countCalls(story, house.bot, traffic), interrupted]), out);
    } finally {
      await house.stop();
    }
  } catch (error) {
    out.error(`The story broke: ${error instanceof Error ? error.message : String(error)}`);
    code = 1;
  }
  const left = await cleanUp({ baseUrl, platformToken, traffic, accountName: stage.enabling.name });
  if (left.length === 0) {
    out.log('Deleted again there: the people of this run and all that was in its account. The account itself is empty, renamed and suspended; leave it so, because Chatwoot cannot list accounts any more once one was deleted.');
    return code;
  }
  out.error(`Still there, see to it by hand (super-admin console; suspend accounts, do not delete them): ${left.join(', ')}.`);
  return 1;
}
