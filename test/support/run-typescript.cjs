// Lets a child process run the TypeScript sources as Jest does: `node -r test/support/run-typescript.cjs src/main.ts`.
// So a clean clone needs no build before its tests, and no test runs a stale one: what is compiled is kept under the hash of its
// source, since some hundred processes of a test run compile the same files.
const { createHash } = require('node:crypto');
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require('node:fs');
const path = require('node:path');
const [, options] = Object.values(require('./transform.cjs'))[0];

const folder = path.join(__dirname, '..', '..', 'node_modules', '.cache', 'support-subgraph-tests');
mkdirSync(folder, { recursive: true });
const settings = JSON.stringify([options, 'source maps apart', require('@swc/core/package.json').version]);

/** For each loaded file, the file with its source map. */
const sourceMaps = new Map();
module.exports = { sourceMaps };

require.extensions['.ts'] = (module, filename) => {
  const source = readFileSync(filename, 'utf8');
  const kept = path.join(
    folder,
    `${createHash('sha256').update(`${settings}\0${filename}\0${source}`).digest('hex')}.js`,
  );
  sourceMaps.set(filename, `${kept}.map`);
  module._compile(read(kept) ?? compile(source, filename, kept), filename);
};

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

function compile(source, filename, kept) {
  // Loaded only when there is something to compile.
  const { code, map } = require('@swc/core').transformSync(source, {
    ...options,
    sourceMaps: true,
    swcrc: false,
    configFile: false,
    filename,
  });
  for (const [file, text] of [
    [`${kept}.map`, map],
    [kept, code],
  ]) {
    const fresh = `${file}.${process.pid}`;
    writeFileSync(fresh, text);
    renameSync(fresh, file);
  }
  return code;
}
