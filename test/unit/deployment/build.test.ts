import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

// eslint-disable-next-line @typescript-eslint/no-require-imports -- it runs before anything is compiled, so it is plain JavaScript
const { build } = require('../../../scripts/build.cjs') as {
  build(options: { root: string; compile(given: string[]): number; say(line: string): void }): number;
};

describe('the build before every command', () => {
  let root: string;
  let compiled: string[][];
  let said: string[];
  let compilerSays: number;

  const write = (file: string, text: string): void => {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  };
  const sources = (): string[] => readdirSync(path.join(root, 'src')).filter(name => name.endsWith('.ts'));
  const compile = (given: string[]): number => {
    compiled.push(given);
    if (compilerSays !== 0) return compilerSays;
    for (const name of sources()) {
      write(`dist/src/${name.replace(/\.ts$/, '.js')}`, '');
      write(`dist/src/${name.replace(/\.ts$/, '.js.map')}`, '');
    }
    // As the compiler writes it: every file of the program, with those of libraries, relative to its own place.
    write(
      'dist/.tsbuildinfo',
      JSON.stringify({
        fileNames: ['../node_modules/typescript/lib/lib.es5.d.ts', ...sources().map(name => `../src/${name}`)],
      }),
    );
    return 0;
  };
  const run = (): number => build({ root, compile, say: line => said.push(line) });

  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), 'support-build-'));
    [compiled, said, compilerSays] = [[], [], 0];
    write('tsconfig.build.json', '{ "include": ["src"] }');
    write('src/main.ts', 'export {};');
    write('src/page/index.html', '<p>');
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it('prints that it compiles before it does, and copies the pages', () => {
    let saidBefore = 0;
    expect(
      build({
        root,
        compile: given => {
          saidBefore = said.length;
          return compile(given);
        },
        say: line => said.push(line),
      }),
    ).toBe(0);
    expect(saidBefore).toBe(1);
    expect(existsSync(path.join(root, 'dist/src/page/index.html'))).toBe(true);
  });

  it('does and prints nothing while no source has changed', () => {
    run();
    said = [];
    // As a checkout of the same commit leaves it: same text, another time.
    utimesSync(path.join(root, 'src/main.ts'), new Date(0), new Date(0));
    expect(run()).toBe(0);
    expect(compiled).toHaveLength(1);
    expect(said).toEqual([]);
  });

  it.each([
    ['a changed source', () => write('src/main.ts', 'export const changed = true;')],
    ['a new source', () => write('src/other.ts', 'export {};')],
    ['a changed page', () => write('src/page/index.html', '<b>')],
    ['another setting of the compiler', () => write('tsconfig.json', '{}')],
  ])('compiles again after %s', (_, change) => {
    run();
    change();
    expect(run()).toBe(0);
    expect(compiled).toHaveLength(2);
  });

  it('removes the output of a deleted source', () => {
    write('src/old.ts', 'export {};');
    run();
    rmSync(path.join(root, 'src/old.ts'));
    run();
    expect(readdirSync(path.join(root, 'dist/src')).sort()).toEqual(['main.js', 'main.js.map', 'page']);
  });

  it('keeps what is compiled only because another file imports it', () => {
    write('tsconfig.build.json', '{ "include": ["src"], "exclude": ["src/double.ts"] }');
    write('src/double.ts', 'export {};');
    run();
    expect(readdirSync(path.join(root, 'dist/src')).sort()).toEqual([
      'double.js',
      'double.js.map',
      'main.js',
      'main.js.map',
      'page',
    ]);
  });

  it('writes a file again that was deleted from dist', () => {
    run();
    rmSync(path.join(root, 'dist/src/main.js'));
    let hadState: boolean | undefined;
    build({
      root,
      compile: given => {
        hadState = existsSync(path.join(root, 'dist/.tsbuildinfo'));
        return compile(given);
      },
      say: () => {},
    });
    // With its old state the compiler would consider the file written.
    expect(hadState).toBe(false);
    expect(existsSync(path.join(root, 'dist/src/main.js'))).toBe(true);
  });

  it('passes on a compiler failure, and compiles again the next time', () => {
    run();
    write('src/main.ts', 'wrong');
    compilerSays = 2;
    expect(run()).toBe(2);
    compilerSays = 0;
    write('src/main.ts', 'export {};');
    expect(run()).toBe(0);
    expect(compiled).toHaveLength(3);
  });
});
