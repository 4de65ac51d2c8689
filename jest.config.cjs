const transform = require('./test/support/transform.cjs');

const project = (displayName, testMatch, more = {}) => ({
  displayName,
  testMatch,
  transform,
  testEnvironment: '<rootDir>/test/support/jest/environment.cjs',
  runtime: '<rootDir>/test/support/jest/runtime.cjs',
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  ...more,
});

/** Global setup starts one Postgres for all projects that name it, and only if one of them runs. */
const postgres = {
  globalSetup: '<rootDir>/test/global-setup.ts',
  globalTeardown: '<rootDir>/test/global-teardown.ts',
};

/** @type {import('jest').Config} */
module.exports = {
  projects: [
    project('unit', ['<rootDir>/test/unit/**/*.test.ts', '<rootDir>/test/torture/checker.test.ts']),
    project('core', ['<rootDir>/test/{integration/flows,model}/**/*.test.ts'], postgres),
    project('postgres', ['<rootDir>/test/integration/persistence/**/*.test.ts'], postgres),
    project('service', ['<rootDir>/test/integration/{graphql,media,push,server,webhooks}/**/*.test.ts'], postgres),
    project('providers', ['<rootDir>/test/contract/**/*.test.ts', '<rootDir>/src/**/testing/**/*.test.ts'], postgres),
    project('e2e', ['<rootDir>/test/{e2e,torture}/**/!(checker).test.ts'], postgres),
  ],
  // Ends what hangs; never decides a test, however busy the machine is.
  testTimeout: 300_000,
  // Most tests wait for Postgres or another process, so there are more workers than cores.
  maxWorkers: 3,
  testSequencer: '<rootDir>/test/support/jest/sequencer.cjs',
};
