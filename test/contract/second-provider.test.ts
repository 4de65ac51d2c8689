import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { providers } from './toy/registry';

interface Case {
  readonly ancestorTitles: readonly string[];
  readonly title: string;
  readonly status: string;
}

const KINDS = ['LOCATION', 'CONTACT_CARD', 'CHOICES', 'CARDS', 'FORM'];
/** The end-user's and the bot's. */
const KINDS_ONCE = [...KINDS, ...KINDS].map(kind => `shows ${kind} whole, once`);
const ROOT = path.join(__dirname, '..', '..');

/** Runs the contract suite over the toy registry in a separate process and returns every case. */
async function walkToyRegistry(): Promise<readonly Case[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'toy-contract-'));
  const output = path.join(folder, 'result.json');
  try {
    await new Promise<void>(resolve =>
      execFile(
        process.execPath,
        [
          path.join(ROOT, 'node_modules/jest/bin/jest.js'),
          '--config',
          path.join(__dirname, 'toy/jest.config.cjs'),
          '--json',
          `--outputFile=${output}`,
          '--silent',
          '--ci',
        ],
        { cwd: ROOT, maxBuffer: 64 * 1024 * 1024 },
        () => resolve(),
      ),
    );
    const result = JSON.parse(readFileSync(output, 'utf8')) as {
      testResults: { assertionResults: Case[]; message: string }[];
    };
    return result.testResults.flatMap(file => {
      if (file.assertionResults.length === 0) throw new Error(file.message);
      return file.assertionResults;
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('a second provider', () => {
  let cases: readonly Case[];
  beforeAll(async () => {
    cases = await walkToyRegistry();
  }, 60_000);

  const of = (name: string) => cases.filter(one => one.ancestorTitles[0] === `registered provider: ${name}`);
  const failed = (name: string) =>
    of(name)
      .filter(one => one.status !== 'passed')
      .map(one => one.title);

  it.each([...providers.keys()])('is found by its registry line: %s', name => {
    expect(of(name).map(one => one.title)).toContain('has a contract harness of the definition that is registered');
  });

  it('passes every case when it is right', () => {
    expect(failed('toy')).toEqual([]);
    expect(of('toy').length).toBeGreaterThan(70);
  });

  it('fails under its name when it has no harness, and is not run', () => {
    expect(of('no-harness').map(one => [one.title, one.status])).toEqual([
      ['has a contract harness of the definition that is registered', 'failed'],
    ]);
  });

  it.each<[string, readonly string[]]>([
    [
      'posts-twice',
      [
        'shows a message once when posted twice under one id',
        'shows a message once when posted again after a restart, from a known position on',
        'shows a note once, to agents only',
        ...KINDS_ONCE,
        'finds a message that was posted although the response was cut',
        'finds a note that was written although the response was cut',
      ],
    ],
    [
      'forgets-at-restart',
      [
        'shows a message once when posted again after a restart, from a known position on',
        'shows a note once, to agents only',
        ...KINDS_ONCE,
        'finds a message that was posted although the response was cut',
        'finds a note that was written although the response was cut',
      ],
    ],
    ['drops-kinds', [...KINDS_ONCE, ...KINDS.map(kind => `shows ${kind} that is INTERNAL to agents only, whole`)]],
    [
      'keeps-deleted',
      [
        ...['END_USER said in PUBLIC', 'BOT said in PUBLIC', 'BOT said in INTERNAL'].map(
          what => `deletes what ${what}: the deletion is visible, the content is not`,
        ),
        'deletes a message although the response was cut',
      ],
    ],
    ['leaks-notes', ['reports a note as a note, without its text']],
    ['skips-a-page', ['reads 260 messages over several pages without a gap']],
    ['swallows-priorities', ['refuses a priority']],
  ])('fails exactly where it is wrong: %s', (name, titles) => {
    expect(failed(name)).toEqual(titles);
  });
});
