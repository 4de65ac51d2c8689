/**
 * Allowed directions of imports: main, cli → app → rooms → core. Rooms never import each other; the composition root
 * wires them. Type imports count too. `npm run arrows` checks this; scripts/check-names.ts checks what imports cannot
 * show.
 */
const ROOMS = [
  'graphql',
  'webhooks',
  'delivery',
  'persistence',
  'media',
  'push',
  'identity',
  'server',
  'playground',
  'tenant-fetch',
];

/** Returns the path of a room: a folder, or a file of that name. */
const room = name => `^src/${name}(/|\\.ts$)`;
const CORE = '^src/core/';
/** Parts of the process itself: settings, logs, health. The composition root passes their values to rooms. */
const SHELL = '^src/(config|logging|health)(/|\\.ts$)';
/**
 * Constants and pure functions that any module may import and that import nothing: private addresses, time limits,
 * database codes.
 */
const FACTS = '^src/(addresses|claimer|database-errors|time-limits)\\.ts$';
/** Libraries that contain only tables: MIME types and their file name extensions. */
const TABLES = '(^|/)node_modules/(@types/)?mime-types/';
const TOP = '^src/((main|cli|app|banner|example)\\.ts$|app/)';
const TESTING = '/testing/';
/** What tests of any part share: databases, and the service over a scripted provider. */
const TEST_KIT = '^src/testing/';

const roomRules = ROOMS.map(name => ({
  name: `${name}-imports-core-only`,
  comment: 'A room imports core and itself; app.ts gives it the rest.',
  severity: 'error',
  from: { path: room(name) },
  to: {
    path: '^src/',
    pathNot: [CORE, FACTS, room(name), ...(name === 'server' ? [SHELL] : [])],
  },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'core-imports-core-only',
      comment: 'The core depends on no framework, no driver and no input or output.',
      severity: 'error',
      from: { path: CORE },
      to: { pathNot: [CORE, TABLES] },
    },
    ...roomRules,
    {
      name: 'providers-import-core-only',
      comment: 'A provider imports the port and its own folder. Its tests may import the whole service.',
      severity: 'error',
      from: { path: '^src/providers/', pathNot: '^src/providers/[^/]+/testing/' },
      to: { path: '^src/', pathNot: [CORE, FACTS, '^src/providers/'] },
    },
    { name: 'facts-import-nothing-of-ours', severity: 'error', from: { path: FACTS }, to: { path: '^src/' } },
    {
      name: 'providers-do-not-know-each-other',
      comment:
        'A second provider is one folder and one registry line; the contract kit in providers/testing is shared.',
      severity: 'error',
      from: { path: '^src/providers/([^/]+)/', pathNot: '^src/providers/testing/' },
      to: { path: '^src/providers/', pathNot: ['^src/providers/$1/', '^src/providers/testing/'] },
    },
    {
      name: 'the-contract-kit-knows-no-provider',
      severity: 'error',
      from: { path: '^src/providers/testing/' },
      to: { path: '^src/providers/', pathNot: '^src/providers/testing/' },
    },
    {
      name: 'only-app-knows-the-registry',
      comment: 'All other modules get providers by name through the port.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/app(\\.ts$|/)', '^src/providers/registry\\.ts$'] },
      to: { path: '^src/providers/', pathNot: '^src/providers/[^/]+/' },
    },
    {
      name: 'the-test-kit-knows-no-provider',
      severity: 'error',
      from: { path: TEST_KIT },
      to: { path: '^src/providers/' },
    },
    {
      name: 'nobody-reaches-into-a-provider',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/providers/' },
      to: { path: '^src/providers/[^/]+/' },
    },
    {
      name: 'shell-imports-little',
      comment:
        "Settings, logs and health may import core, each other, constants, and identity's types of its settings.",
      severity: 'error',
      from: { path: SHELL },
      to: { path: '^src/', pathNot: [CORE, FACTS, SHELL, room('identity')] },
    },
    {
      name: 'nobody-imports-the-top',
      comment: 'main and cli import app; no module imports them back.',
      severity: 'error',
      from: { path: '^src/', pathNot: TOP },
      to: { path: TOP },
    },
    {
      name: 'the-service-does-not-need-its-tests',
      comment: "Harnesses, doubles and recordings are in a provider's folder, but the service does not load them.",
      severity: 'error',
      from: { path: '^src/', pathNot: TESTING },
      to: { path: TESTING },
    },
    {
      name: 'src-imports-src-only',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|scripts|examples|migrations|ormconfig)' },
    },
    {
      name: 'the-service-runs-without-development-packages',
      severity: 'error',
      from: { path: '^src/', pathNot: TESTING },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'unknown', 'undetermined'] },
    },
    { name: 'every-import-is-found', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'no-circles',
      severity: 'error',
      from: { pathNot: TESTING },
      to: { circular: true },
    },
    {
      name: 'no-file-is-left-over',
      comment: 'No module imports it: delete it.',
      severity: 'error',
      from: { orphan: true, path: '^src/', pathNot: ['^src/(main|cli)\\.ts$', TESTING, '^src/playground/page/'] },
      to: {},
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['require', 'node', 'default', 'types'] },
  },
};
