// Lets a child process run the TypeScript sources as Jest does: `node -r test/support/run-typescript.cjs src/main.ts`.
// So a clean clone needs no build before its tests, and no test runs a stale one.
const { readFileSync } = require('node:fs');
const { transformSync } = require('@swc/core');
const [, options] = Object.values(require('./transform.cjs'))[0];

require.extensions['.ts'] = (module, filename) => {
  const { code } = transformSync(readFileSync(filename, 'utf8'), { ...options, swcrc: false, configFile: false, filename });
  module._compile(code, filename);
};
