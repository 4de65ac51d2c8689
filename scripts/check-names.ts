import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/**
 * Checks that nothing outside src/providers names a provider: no code, comment or page. dependency-cruiser checks the
 * imports; this checks the names. Prints each place, and exits with 1 if there is one.
 */

const root = process.argv[2] ?? process.cwd();
const source = path.join(root, 'src');
const providers = path.join(source, 'providers');

const names = readdirSync(providers, { withFileTypes: true })
  .filter(entry => entry.isDirectory() && entry.name !== 'testing')
  .map(entry => entry.name);
const mention = new RegExp(names.map(name => name.replace(/[^a-z0-9]/gi, '.?')).join('|'), 'i');

const files = readdirSync(source, { recursive: true, withFileTypes: true })
  .filter(entry => entry.isFile())
  .map(entry => path.join(entry.parentPath, entry.name))
  .filter(
    file => !file.startsWith(providers + path.sep) && /\.(ts|js|mjs|cjs|json|html|css|sql|graphql|md)$/.test(file),
  );

const places = files.flatMap(file => [
  ...(mention.test(path.relative(source, file)) ? [`${path.relative(root, file)}: the file's own name`] : []),
  ...readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line, at) =>
      mention.test(line) ? [`${path.relative(root, file)}:${at + 1}: ${line.trim().slice(0, 120)}`] : [],
    ),
]);

if (names.length === 0)
  throw new Error(
    `No provider found below ${providers}, so there is nothing to check; run this in the repository's root.`,
  );
for (const place of places) console.error(place);
console.log(
  places.length === 0
    ? `${files.length} files outside src/providers name no provider (${names.join(', ')}).`
    : `${places.length} places outside src/providers name a provider (${names.join(', ')}).`,
);
process.exitCode = places.length === 0 ? 0 : 1;
