// Compiles the service and its commands to dist/, and copies the pages' files next to the code.
// Called by `npm run build`, and by every command that runs compiled code (start, demo, doctor, torture, bench, …), so
// it must cost next to nothing if nothing changed. A hash of all sources decides, never a file's time, which a checkout
// changes.
const { createHash } = require('node:crypto');
const { spawnSync } = require('node:child_process');
const { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } = require('node:fs');
const path = require('node:path');

/** The compiler's input and the pages' files. */
const SOURCES = [
  'src',
  'migrations',
  'scripts',
  'examples',
  'ormconfig.ts',
  'tsconfig.json',
  'tsconfig.build.json',
  'package-lock.json',
];
/** The pages' files are served unchanged. */
const ASSET = /\.(html|css|js|svg|json)$/;
/** Recorded responses of Chatwoot, which only tests read. */
const NOT_COPIED = 'recordings';

/**
 * Brings dist/ up to date.
 * Afterwards dist/ contains exactly the output of the current sources, without files of deleted sources. After a failed
 * compilation the next call compiles again.
 * @param {{ root: string, compile: (arguments: string[]) => number, say: (line: string) => void }} options
 *   `compile` runs the TypeScript compiler and returns its exit status
 * @returns {number} exit status
 */
function build({ root, compile, say }) {
  const dist = path.join(root, 'dist');
  const stampFile = path.join(dist, '.build.json');
  const compilerState = path.join(dist, '.tsbuildinfo');
  const hash = hashOf(root);

  const stamp = readStamp(stampFile);
  const isWhole = stamp !== null && stamp.outputs.every(output => existsSync(path.join(dist, output)));
  if (isWhole && stamp.hash === hash) return 0;

  // The compiler trusts its own state, and would not rewrite a file that was deleted or never written because a build
  // was interrupted.
  if (!isWhole) rmSync(compilerState, { force: true });
  rmSync(stampFile, { force: true });
  say(existsSync(compilerState) ? 'Compiling what changed…' : 'Compiling (the first time takes about half a minute)…');
  const began = Date.now();
  const status = compile([
    '-p',
    'tsconfig.build.json',
    '--incremental',
    '--tsBuildInfoFile',
    compilerState,
    '--noEmitOnError',
  ]);
  if (status !== 0) return status;

  const outputs = [...compiledFiles(root, compilerState), ...copyAssets(root, dist)].sort();
  removeOthers(dist, new Set([...outputs, path.basename(stampFile), path.basename(compilerState)]));
  mkdirSync(dist, { recursive: true });
  writeFileSync(stampFile, JSON.stringify({ hash, outputs }));
  say(`Compiled in ${((Date.now() - began) / 1000).toFixed(0)} s.`);
  return 0;
}

function hashOf(root) {
  const hash = createHash('sha256');
  for (const file of SOURCES.flatMap(source => filesBelow(root, source)))
    hash
      .update(file)
      .update('\0')
      .update(readFileSync(path.join(root, file)))
      .update('\0');
  return hash.digest('hex');
}

/** Returns paths relative to `root`, sorted. */
function filesBelow(root, relative) {
  const entries = existsSync(path.join(root, relative)) ? tryReadFolder(path.join(root, relative)) : [];
  if (entries === null) return [relative];
  return entries
    .filter(({ name }) => name !== NOT_COPIED)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(({ name }) => filesBelow(root, path.join(relative, name)));
}

function tryReadFolder(folder) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (error.code === 'ENOTDIR') return null;
    throw error;
  }
}

function readStamp(file) {
  try {
    const { hash, outputs } = JSON.parse(readFileSync(file, 'utf8'));
    return typeof hash === 'string' && Array.isArray(outputs) ? { hash, outputs } : null;
  } catch {
    return null;
  }
}

/**
 * Returns the files that the compiler writes, relative to dist/, according to its own state. The include and exclude
 * settings are not enough: an excluded file is compiled if another one imports it.
 */
function compiledFiles(root, compilerState) {
  const { fileNames } = JSON.parse(readFileSync(compilerState, 'utf8'));
  return fileNames
    .map(file => path.relative(root, path.resolve(path.dirname(compilerState), file)))
    .filter(
      file =>
        file.endsWith('.ts') && !file.endsWith('.d.ts') && !file.startsWith('..') && !file.startsWith('node_modules'),
    )
    .flatMap(file => [file.replace(/\.ts$/, '.js'), file.replace(/\.ts$/, '.js.map')]);
}

function copyAssets(root, dist) {
  const assets = filesBelow(root, 'src').filter(file => ASSET.test(file));
  for (const asset of assets) cpSync(path.join(root, asset), path.join(dist, asset));
  return assets;
}

function removeOthers(dist, wanted) {
  for (const file of filesBelow(dist, '.')) if (!wanted.has(path.normalize(file))) rmSync(path.join(dist, file));
}

module.exports = { build };

if (require.main === module) {
  const root = path.join(__dirname, '..');
  const tsc = path.join(path.dirname(require.resolve('typescript/package.json')), 'bin', 'tsc');
  process.exitCode = build({
    root,
    compile: given => spawnSync(process.execPath, [tsc, ...given], { cwd: root, stdio: 'inherit' }).status ?? 1,
    // Not to standard output, where `npm run schema` and others may print a result.
    say: line => process.stderr.write(`${line}\n`),
  });
}
