const { createRequire } = require('node:module');
const { compileFunction } = require('node:vm');
const { default: Runtime } = require('jest-runtime');
const { sourceMaps } = require('../run-typescript.cjs');

/**
 * Loads what a test file imports once for each worker instead of once for each file: loading and warming up the service
 * and its packages costs more CPU time than most tests. So no imported module may register hooks, use `jest` or keep
 * state of a test file.
 */
module.exports = class SharedModulesRuntime extends Runtime {
  constructor(...given) {
    super(...given);
    // As Jest does, but in the worker's own globals.
    this.executor.compile = (source, filename) =>
      compileFunction(source, this.executor.injectedModuleParameters, { filename });
    const ofTestFile = this.getSourceMaps();
    ofTestFile.get = file => Map.prototype.get.call(ofTestFile, file) ?? sourceMaps.get(file);
  }

  requireModule(from, name, options, isActual) {
    if (name && !options?.isInternalModule && !this._resolution.isCoreModule(name)) return createRequire(from)(name);
    return super.requireModule(from, name, options, isActual);
  }
};
module.exports.default = module.exports;
