const { TestEnvironment } = require('jest-environment-node');

/** Emptied databases of this worker, see `database.ts`: a test file has globals of its own, and a worker runs many. */
const idle = [];

module.exports = class DatabaseEnvironment extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    this.global.idleTestDatabases = idle;
  }
};
