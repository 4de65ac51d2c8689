import { parseArgs } from 'node:util';
import { startEmbedded } from '../src/persistence/embedded/embedded-postgres';
import { startChatwootDouble } from '../src/providers/chatwoot/testing/double';
import { DeskDemoAdapter } from './demo/desk-adapter';
import { startTestService } from './demo/test-service';
import { runOnChatwoot } from './demo/run-on-chatwoot';
import { DemoContext, DEMO_STEPS } from './demo/demo-steps';
import { runSteps } from './demo/run-steps';

const USAGE = `Runs the whole demo, from bot to agent and back, and checks each step.

  npm run demo -- --provider desk
  npm run demo -- --provider chatwoot-double
  npm run demo -- --provider chatwoot --url https://chatwoot.example.com --platform-token <token>
                  [--public-url https://… --port 4000 [--host 0.0.0.0]]

Needs nothing else: it starts a temporary Postgres and the service, and stops them at the end. For a real Chatwoot:
--public-url is where it reaches this service, which then listens at --host and --port (without it, agents' actions are
only found every few seconds); the token may also be in CHATWOOT_PLATFORM_TOKEN. Everything that it creates
is deleted at the end, also after a failed step and Ctrl+C. LOG_LEVEL=info shows the service's log.
`;

const EXIT_USAGE = 64;

const OPTIONS = {
  provider: { type: 'string' },
  url: { type: 'string' },
  'platform-token': { type: 'string' },
  'public-url': { type: 'string' },
  host: { type: 'string' },
  port: { type: 'string' },
} as const;

type Play = (databaseUrl: string) => Promise<number>;

async function main(): Promise<number> {
  const { values } = parseArgs({ options: OPTIONS });
  const play = playOf(values);
  if (play === null) {
    console.error(USAGE);
    return EXIT_USAGE;
  }
  const postgres = await startEmbedded();
  try {
    return await play(postgres.url);
  } finally {
    await postgres.stop();
  }
}

function playOf(values: { readonly [K in keyof typeof OPTIONS]?: string }): Play | null {
  const {
    provider,
    url,
    host,
    port,
    'public-url': publicUrl,
    'platform-token': platformToken = process.env.CHATWOOT_PLATFORM_TOKEN,
  } = values;
  switch (provider) {
    case 'desk':
      return playOnDesk;
    case 'chatwoot-double':
      return async databaseUrl => {
        const double = await startChatwootDouble();
        try {
          return await runOnChatwoot({
            url: double.baseUrl,
            platformToken: double.platformToken,
            databaseUrl,
            out: console,
            signal: untilInterrupted(),
          });
        } finally {
          await double.stop();
        }
      };
    case 'chatwoot':
      if (url === undefined || !URL.canParse(url) || platformToken === undefined) return null;
      return databaseUrl =>
        runOnChatwoot({
          url,
          platformToken,
          databaseUrl,
          publicUrl,
          host,
          port,
          out: console,
          signal: untilInterrupted(),
        });
    default:
      return null;
  }
}

async function playOnDesk(databaseUrl: string): Promise<number> {
  const service = await startTestService(databaseUrl);
  try {
    return await runSteps(
      DEMO_STEPS,
      new DemoContext(new DeskDemoAdapter(service.url, service.gateway), service.operator, service.bot),
      console,
    );
  } finally {
    await service.stop();
  }
}

function untilInterrupted(): AbortSignal {
  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interruption.abort());
  return interruption.signal;
}

main().then(
  code => {
    process.exitCode = code;
  },
  (error: unknown) => {
    const isUsage = error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
    console.error(isUsage ? `${error.message}\n\n${USAGE}` : error instanceof Error ? error.stack : error);
    process.exitCode = isUsage ? EXIT_USAGE : 1;
  },
);
