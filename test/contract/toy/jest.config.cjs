// Run by test/contract/second-provider.test.ts in a separate process, since most of its cases must fail.
const transform = require('../../support/transform.cjs');

/** @type {import('jest').Config} */
module.exports = {
  rootDir: '../../..',
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/contract/toy/walk.contract.ts'],
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  transform,
};
