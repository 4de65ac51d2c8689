const { LegacyFakeTimers, ModernFakeTimers } = require('@jest/fake-timers');
const { ModuleMocker } = require('jest-mock');

/** What Jest's framework keeps in the globals of a test file. */
const KEPT_BY_JEST =
  /^(JEST_STATE_SYMBOL|EVENT_HANDLERS|TEST_TIMEOUT_SYMBOL|LOG_ERRORS_BEFORE_RETRY|RETRY_\w+|WAIT_BEFORE_RETRY)$/;

/**
 * Runs test files in the worker's own globals, so that all files of a worker share the loaded modules, see runtime.cjs.
 * A file meets no state of the framework from the previous file, and process, console and environment variables are
 * restored after each.
 */
module.exports = class SharedEnvironment {
  constructor({ projectConfig }) {
    this.global = globalThis;
    this.restore = snapshot();
    for (const key of Object.getOwnPropertySymbols(globalThis))
      if (KEPT_BY_JEST.test(key.description)) delete globalThis[key];
    this.moduleMocker = new ModuleMocker(globalThis);
    this.fakeTimers = new LegacyFakeTimers({
      config: projectConfig,
      global: globalThis,
      moduleMocker: this.moduleMocker,
      timerConfig: { idToRef: id => id, refToId: timer => timer },
    });
    this.fakeTimersModern = new ModernFakeTimers({ config: projectConfig, global: globalThis });
    Error.stackTraceLimit = 100;
  }

  async setup() {}

  async teardown() {
    this.fakeTimers.dispose();
    this.fakeTimersModern.dispose();
    this.moduleMocker.restoreAllMocks();
    this.restore();
  }

  exportConditions() {
    return ['node', 'node-addons'];
  }

  /** None: code runs in the worker's own. */
  getVmContext() {
    return null;
  }
};

/** @returns restores it */
function snapshot() {
  const { console, fetch } = globalThis;
  const { exit } = process;
  const env = { ...process.env };
  return () => {
    Object.assign(globalThis, { console, fetch });
    process.exit = exit;
    for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
    Object.assign(process.env, env);
  };
}
