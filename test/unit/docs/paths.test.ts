import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.join(__dirname, '..', '..', '..');
const NOT_OURS = ['node_modules', 'dist', 'data', 'coverage', '.git'];

const FILES = readdirSync(ROOT, { withFileTypes: true })
  .filter(entry => !NOT_OURS.includes(entry.name))
  .flatMap(entry =>
    entry.isFile()
      ? [entry.name]
      : readdirSync(path.join(ROOT, entry.name), { recursive: true, encoding: 'utf8' }).map(
          name => `${entry.name}/${name.split(path.sep).join('/')}`,
        ),
  );
/** The changelog also names files of earlier versions. */
const PAGES = FILES.filter(file => file.endsWith('.md') && file !== 'CHANGELOG.md');

const SOURCE_FILE = /(?<![\w/@.-])((?:[\w-]+\/)*[\w-]+(?:\.[\w-]+)*\.(?:ts|cjs|mjs|md))\b/g;
const LINK = /\]\(([^)#\s]+)(?:#[^)]*)?\)/g;

const namesFile = (name: string): boolean => FILES.some(file => file === name || file.endsWith(`/${name}`));
const isLocal = (link: string): boolean => !/^[a-z]+:/.test(link);

describe.each(PAGES)('%s', page => {
  const text = readFileSync(path.join(ROOT, page), 'utf8');

  it('names only files that exist', () => {
    const prose = text.replace(LINK, ']');
    expect([...prose.matchAll(SOURCE_FILE)].map(([, name]) => name!).filter(name => !namesFile(name))).toEqual([]);
  });

  it('links only to files and folders that exist', () => {
    const targets = [...text.matchAll(LINK)].map(([, link]) => link!).filter(isLocal);
    const missing = targets.filter(link => {
      const target = path.normalize(path.join(path.dirname(page), link)).replace(/\/$/, '');
      return !FILES.some(file => file === target || file.startsWith(`${target}/`));
    });
    expect(missing).toEqual([]);
  });
});
