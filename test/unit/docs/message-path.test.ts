import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/* The list in docs/architecture.md of the files that a bot message goes through. */

const ROOT = path.join(__dirname, '..', '..', '..');
const textOf = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');

const HEADING = "#### From a bot message to the provider's HTTP call\n";
const section = textOf('docs/architecture.md').split(HEADING)[1]!.split('\n#')[0]!;
const LISTED = [...section.matchAll(/^\d+\. `([^`]+)`: .+$/gm)].map(([, file]) => file!);

const IMPORT = /^(?:import|export)\b[^;]*?from '(\.[^']*)'/gm;

function importsOf(file: string): readonly string[] {
  const folder = path.dirname(file);
  return [...textOf(file).matchAll(IMPORT)]
    .map(([, name]) => path.join(folder, name!))
    .map(name => [`${name}.ts`, `${name}/index.ts`].find(one => existsSync(path.join(ROOT, one))) ?? name);
}

/** Returns the shortest way from one file to another along imports. Empty: there is none. */
function shortestWay(from: string, to: string): readonly string[] {
  const before = new Map<string, string | null>([[from, null]]);
  for (const file of before.keys()) {
    if (file === to) {
      const way: string[] = [];
      for (let at: string | null = file; at !== null; at = before.get(at)!) way.unshift(at);
      return way;
    }
    for (const next of importsOf(file)) if (!before.has(next)) before.set(next, file);
  }
  return [];
}

it('has at most 20 files, which exist', () => {
  expect(LISTED.length).toBeGreaterThan(10);
  expect(LISTED.length).toBeLessThanOrEqual(20);
  expect(LISTED.filter(file => !existsSync(path.join(ROOT, file)))).toEqual([]);
});

it('leads from the resolver to the HTTP call', () => {
  expect(textOf(LISTED[0]!)).toMatch(/\bsendBotMessage\(/);
  expect(textOf(LISTED.at(-1)!)).toMatch(/\bfetch\(/);
});

it.each(LISTED.slice(1).map((file, at) => [file, LISTED.slice(0, at + 1)] as const))(
  '%s is linked to a file before it, with none between them',
  (file, earlier) => {
    const isCalled = earlier.some(one => importsOf(one).includes(file));
    // What implements a port, or uses one, imports it.
    const isCaller = importsOf(file).some(one => earlier.includes(one));
    expect(isCalled || isCaller).toBe(true);
  },
);

it.each([
  ['src/graphql/runtime/mutations.ts', 'src/core/flows/api.ts'],
  ['src/core/flows/from-runtime/record-message.ts', 'src/core/ports/session-transaction.ts'],
  ['src/delivery/provider-handler.ts', 'src/core/flows/to-provider/deliver-message.ts'],
  ['src/core/flows/to-provider/deliver-message.ts', 'src/core/flows/to-provider/post-message.ts'],
  ['src/core/flows/to-provider/post-message.ts', 'src/core/flows/to-provider/leased-provider.ts'],
  ['src/core/flows/to-provider/leased-provider.ts', 'src/core/ports/provider/support-provider.ts'],
  ['src/providers/chatwoot/index.ts', 'src/providers/chatwoot/post.ts'],
  ['src/providers/chatwoot/post.ts', 'src/providers/chatwoot/client.ts'],
])('lists every file on the way from %s to %s', (from, to) => {
  const way = shortestWay(from, to);
  expect(way).not.toEqual([]);
  expect(way.filter(file => !LISTED.includes(file))).toEqual([]);
});
