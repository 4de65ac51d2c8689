import fc from 'fast-check';
import { createFlowWorld, type FlowWorld } from '../../src/testing/flow-world';
import { anyCommand } from './commands';
import { Play, type Setting } from './play';

/* docs/reliability.md describes how to run more, and how to replay one story. */

/** The same runs each time, unless another number is requested. */
const SAME = { runs: 300, seed: 20 };
const RUNS = Number(process.env.MODEL_RUNS ?? SAME.runs);
const LONGEST = 60;
const replay = replayOf(process.env.MODEL_REPLAY);

let world: FlowWorld;
let performanceNow: jest.SpyInstance;
beforeAll(async () => {
  world = await createFlowWorld();
  // Leases use this clock, so it follows the story's time.
  performanceNow = jest.spyOn(performance, 'now').mockImplementation(() => world.time.ms);
});
afterAll(async () => {
  performanceNow.mockRestore();
  await world.close();
});

const setting: fc.Arbitrary<Setting> = fc.record({
  mirroring: fc.constantFrom('ALWAYS', 'ALWAYS', 'ON_HANDOFF'),
  whileWaiting: fc.constantFrom('SILENT', 'BOT_MAY_ANSWER'),
  lostConversation: fc.constantFrom('END', 'REOPEN'),
  closingLine: fc.constantFrom(null, 'over'),
  sessions: fc.constantFrom(1, 1, 2),
});

it(`the service agrees with the model under concurrent commands (${RUNS} stories)`, async () => {
  const story = fc.asyncProperty(
    setting,
    fc.commands([anyCommand], { maxCommands: LONGEST, size: 'max', ...replay?.commands }),
    async (given, commands) => {
      const play = await Play.begin(world, given);
      await fc.asyncModelRun(async () => ({ model: { play }, real: play }), commands);
      await play.settle();
    },
  );
  const result = await fc.check(story, {
    numRuns: RUNS,
    ...(process.env.MODEL_RUNS === undefined && { seed: SAME.seed }),
    ...replay?.run,
  });
  if (result.failed) throw new Error(toldOf(result));
}, 3_600_000);

function toldOf({
  seed,
  counterexamplePath,
  counterexample,
  errorInstance,
  numRuns,
  numShrinks,
}: fc.RunDetails<[Setting, Iterable<fc.AsyncCommand<{ play: Play }, Play>>]>): string {
  const [given, commands] = counterexample!;
  const [told, marked] = String(commands).split('/*replayPath=');
  const commandPath = (marked ?? '').split('"')[1] ?? '';
  return [
    `Story ${numRuns} went wrong; the shortest of ${numShrinks} retellings:`,
    JSON.stringify(given),
    ...told!
      .trim()
      .split(',')
      .map(line => `  ${line}`),
    errorInstance instanceof Error ? errorInstance.stack! : String(errorInstance),
    `MODEL_REPLAY='${seed}|${counterexamplePath}|${commandPath}' npx jest test/model`,
  ].join('\n');
}

function replayOf(text: string | undefined) {
  if (text === undefined || text === '') return null;
  const [seed, path, replayPath] = text.split('|');
  return {
    run: { seed: Number(seed), ...(path ? { path, endOnFailure: true } : {}) },
    commands: replayPath ? { replayPath } : {},
  };
}
