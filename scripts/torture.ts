import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { checkEvidence } from './torture/check-evidence';
import { readEvidence } from './torture/record';
import { renderColumns, renderFindings, isClean, tallyOf, renderTally, renderVerdict } from './torture/report';
import { runTorture } from './torture/run';

const USAGE = `Runs several processes of the service with a Postgres and a Chatwoot, injects faults between them, and prints a verdict.

  npm run torture -- [--minutes 2] [--seed N] [--services 3] [--sessions 12] [--folder DIR] [--keep]
                     [--chatwoot-url URL --platform-token TOKEN [--public-url http://this-machine:4100]]
  npm run torture -- --check DIR       judges a kept run again

Without --chatwoot-url the double replaces Chatwoot. A run with a finding keeps its folder. Exit status: 0 if every
column is 0, 1 otherwise. docs/reliability.md explains the columns.
`;

const EXIT_USAGE = 64;

class UsageError extends Error {}

function number(name: string, text: string, min: number): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < min)
    throw new UsageError(`--${name} takes a number from ${min}.`);
  return value;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '2' },
      seed: { type: 'string' },
      services: { type: 'string', default: '3' },
      sessions: { type: 'string', default: '12' },
      folder: { type: 'string' },
      keep: { type: 'boolean', default: false },
      check: { type: 'string' },
      'chatwoot-url': { type: 'string' },
      'platform-token': { type: 'string', default: process.env.CHATWOOT_PLATFORM_TOKEN ?? '' },
      'public-url': { type: 'string' },
    },
  });
  if (values.check !== undefined) return check(values.check);

  const url = values['chatwoot-url'];
  if (url !== undefined && (!URL.canParse(url) || values['platform-token'] === ''))
    throw new UsageError('--chatwoot-url needs a URL, and --platform-token a token.');
  const publicUrl = values['public-url'] ?? null;
  if (publicUrl !== null && !URL.canParse(publicUrl))
    throw new UsageError('--public-url needs the address at which that Chatwoot reaches this machine.');
  const folder = values.folder ?? mkdtempSync(path.join(tmpdir(), 'support-torture-'));
  // Exiting also ends the run's processes.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  const verdict = await runTorture({
    seed: values.seed === undefined ? randomInt(1, 1_000_000) : number('seed', values.seed, 0),
    seconds: number('minutes', values.minutes, 0.1) * 60,
    services: number('services', values.services, 1),
    sessions: number('sessions', values.sessions, 1),
    folder,
    chatwoot:
      url === undefined ? null : { url: url.replace(/\/+$/, ''), platformToken: values['platform-token'], publicUrl },
    log: line => console.log(line),
  }).catch((error: unknown) => {
    console.error(`The run failed before its verdict; its logs are in ${folder}.`);
    throw error;
  });
  console.log(renderVerdict(verdict));
  if (isClean(verdict) && !values.keep) rmSync(folder, { recursive: true, force: true });
  else console.log(`The run is kept in ${folder}; judge it again with --check ${folder}.`);
  return isClean(verdict) ? 0 : 1;
}

function check(folder: string): number {
  const evidence = readEvidence(folder);
  const findings = checkEvidence(evidence);
  console.log(renderTally(tallyOf(evidence)));
  if (findings.length > 0) console.log(renderFindings(findings));
  console.log(renderColumns(findings));
  return findings.length === 0 ? 0 : 1;
}

main().then(
  code => process.exit(code),
  (error: unknown) => {
    const isUsage =
      error instanceof UsageError ||
      (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'));
    console.error(isUsage ? `${error.message}\n\n${USAGE}` : error instanceof Error ? error.stack : error);
    process.exit(isUsage ? EXIT_USAGE : 1);
  },
);
