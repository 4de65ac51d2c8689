import { parseArgs } from 'node:util';
import { startEmbedded } from '../src/persistence/embedded/embedded-postgres';
import { runOnChatwoot } from './demo/run-on-chatwoot';
import { printFindings, isWrong, canRunDemo } from './doctor/print-findings';

const USAGE = `Checks whether a Chatwoot works with this service, and prints the next step for each problem. Changes nothing in it.

  npm run doctor -- --url https://chatwoot.example.com --platform-token <token> [--public-url https://support.example.com]
                    [--play [--port 4000] [--host 0.0.0.0]]

The token may also be in CHATWOOT_PLATFORM_TOKEN. --play then runs the whole demo on that Chatwoot and deletes
everything that it created. Exit status: 0 if nothing is wrong, 1 otherwise.
`;

const EXIT_USAGE = 64;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      url: { type: 'string' },
      'platform-token': { type: 'string' },
      'public-url': { type: 'string' },
      play: { type: 'boolean', default: false },
      port: { type: 'string' },
      host: { type: 'string' },
    },
  });
  const {
    url,
    play,
    port,
    host,
    'public-url': publicUrl,
    'platform-token': token = process.env.CHATWOOT_PLATFORM_TOKEN,
  } = values;
  if (url === undefined || !URL.canParse(url) || !/^https?:/.test(url) || token === undefined) {
    console.error(USAGE);
    return EXIT_USAGE;
  }
  const findings = await printFindings({ url, token, publicUrl }, console);
  if (isWrong(findings)) return 1;
  if (!canRunDemo(findings)) return play ? 1 : 0;
  if (!play) {
    console.log(
      '\nNothing is wrong. Add --play to run the whole demo on it; everything that it creates is deleted afterwards.',
    );
    return 0;
  }
  console.log('\nNothing is wrong. The demo:\n');
  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interruption.abort());
  const postgres = await startEmbedded();
  try {
    return await runOnChatwoot({
      url,
      platformToken: token,
      databaseUrl: postgres.url,
      publicUrl,
      port,
      host,
      out: console,
      signal: interruption.signal,
    });
  } finally {
    await postgres.stop();
  }
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
