/** Compiles TypeScript to JavaScript, for Jest and for the child processes of tests. */
module.exports = {
  '^.+\\.ts$': [
    '@swc/jest',
    {
      sourceMaps: 'inline',
      module: { type: 'commonjs' },
      jsc: {
        target: 'es2022',
        parser: { syntax: 'typescript', decorators: true },
        transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
      },
    },
  ],
};
