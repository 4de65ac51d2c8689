// Compiles the service and its commands to dist/, and copies the files of the pages beside the code.
// Called by `npm run build`, and by every command that runs compiled code (start, demo, doctor, torture, bench, …), so it must
// cost next to nothing when nothing changed: a hash of all sources decides, never a file's time, which a checkout changes.
const { createHash } = require('node:crypto');
const { spawnSync } = require('node:child_process');
const { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } = require('node:fs');
const path = require('node:path');

/** What the compiler reads and the pages' files come from. */
const SOURCES = ['src', 'migrations', 'scripts', 'examples', 'ormconfig.ts', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];
/** The pages are served as they are. */
const ASSET = /\.(html|css|js|svg|json)$/;
/** Recorded answers of Chatwoot: only tests read them. */
const NOT_COPIED = 'recordings';

/**
 * Brings dist/ up to date.
 *
 * Holds afterwards: dist/ has exactly what the sources lead to; files of deleted sources are gone. After a failed compile the
 * next call compiles again.
 *
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

  // The compiler trusts its own state and would not write a file again that somebody deleted. So would a build that was cut off.
  if (!isWhole) rmSync(compilerState, { force: true });
  rmSync(stampFile, { force: true });
  say(existsSync(compilerState) ? 'Compiling what changed…' : 'Compiling (the first time takes about half a minute)…');
  const began = Date.now();
  const status = compile(['-p', 'tsconfig.build.json', '--incremental', '--tsBuildInfoFile', compilerState, '--noEmitOnError']);
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
  for (const file of SOURCES.flatMap(source => filesBelow(root, source))) hash.update(file).update('\0').update(readFileSync(path.join(root, file))).update('\0');
  return hash.digest('hex');
}

/** Paths relative to `root`, sorted. */
function filesBelow(root, relative) {
  const entries = existsSync(path.join(root, relative)) ? tryReadFolder(path.join(root, relative)) : [];
  if (entries === null) return [relative];
  return entries.filter(({ name }) => name !== NOT_COPIED).sort((a, b) => (a.name < b.name ? -1 : 1)).flatMap(({ name }) => filesBelow(root, path.join(relative, name)));
}

function tryReadFolder(folder) {
  try { return readdirSync(folder, { withFileTypes: true }); } catch (error) { if (error.code === 'ENOTDIR') return null; throw error; }
}

function readStamp(file) {
  try {
    const { hash, outputs } = JSON.parse(readFileSync(file, 'utf8'));
    return typeof hash === 'string' && Array.isArray(outputs) ? { hash, outputs } : null;
  } catch { return null; }
}

/**
 * What the compiler writes, by its own state, relative to dist/. The settings' include and exclude tell less: a file that they leave out
 * is compiled all the same where another imports it.
 */
function compiledFiles(root, compilerState) {
  const { fileNames } = JSON.parse(readFileSync(compilerState, 'utf8'));
  return fileNames
    .map(file => path.relative(root, path.resolve(path.dirname(compilerState), file)))
    .filter(file => file.endsWith('.ts') && !file.endsWith('.d.ts') && !file.startsWith('..') && !file.startsWith('node_modules'))
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
    // Not on standard output: `npm run schema` and others may print a result there.
    say: line => process.stderr.write(`${line}\n`),
  });
}
