import { parseArgs } from 'node:util';
import { startEmbedded } from '../src/persistence/embedded-postgres';
import { startChatwootDouble } from '../src/providers/chatwoot/testing/double';
import { ChatwootStage } from './demo/chatwoot-stage';
import { DeskStage } from './demo/desk-stage';
import { openHouse } from './demo/house';
import type { Stage } from './demo/stage';
import { Story, STORY } from './demo/story';
import { tell } from './demo/tell';

const USAGE = `Plays the whole story, from bot to person and back, and checks each step.

  npm run demo -- --provider desk
  npm run demo -- --provider chatwoot-double
  npm run demo -- --provider chatwoot --url https://chatwoot.example.com --platform-token <token> [--public-url https://…]

Needs nothing: a throw-away Postgres and the service start by themselves, and end with it. For a real Chatwoot, --public-url
is where it reaches this service. LOG_LEVEL=info shows the service's log.
`;

const EXIT_USAGE = 64;

type Undo = () => Promise<unknown>;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { provider: { type: 'string' }, url: { type: 'string' }, 'platform-token': { type: 'string' }, 'public-url': { type: 'string' } },
  });
  const publicUrl = values['public-url'];
  const openStage = stageOf(values.provider, values.url, values['platform-token']);
  if (openStage === null) {
    console.error(USAGE);
    return EXIT_USAGE;
  }
  const atEnd: Undo[] = [];
  try {
    const postgres = await startEmbedded();
    atEnd.push(() => postgres.stop());
    const house = await openHouse(postgres.url, publicUrl === undefined ? {} : { SUPPORT_PUBLIC_URL: publicUrl });
    atEnd.push(() => house.stop());
    const { stage, close } = await openStage(house.url, house.gateway);
    atEnd.push(close);
    console.log(`The service runs at ${house.url}, support at ${values.provider}.\n`);
    return await tell(STORY, new Story(stage, house.operator, house.bot), console);
  } finally {
    for (const undo of atEnd.reverse()) await undo();
  }
}

type OpenStage = (serviceUrl: string, gateway: Readonly<Record<string, string>>) => Promise<{ stage: Stage; close: Undo }>;

function stageOf(provider: string | undefined, url: string | undefined, platformToken: string | undefined): OpenStage | null {
  switch (provider) {
    case 'desk':
      return async (serviceUrl, gateway) => ({ stage: new DeskStage(serviceUrl, gateway), close: async () => {} });
    case 'chatwoot-double':
      return async () => {
        const double = await startChatwootDouble();
        return { stage: new ChatwootStage(double.baseUrl, double.platformToken), close: () => double.stop() };
      };
    case 'chatwoot':
      if (url === undefined || platformToken === undefined) return null;
      return async () => ({ stage: new ChatwootStage(url.replace(/\/$/, ''), platformToken), close: async () => {} });
    default:
      return null;
  }
}

main().then((code) => { process.exitCode = code; }, (error: unknown) => {
  const isUsage = error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
  console.error(isUsage ? `${error.message}\n\n${USAGE}` : error instanceof Error ? error.stack : error);
  process.exitCode = isUsage ? EXIT_USAGE : 1;
});
