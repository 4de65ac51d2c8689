import { REPLAY_SCRIPTS } from './replay/scripts';
import { Replay } from './replay/replay';

describe('the double responds as the recorded Chatwoot 4.10 did', () => {
  let theatre: Replay;
  beforeAll(async () => {
    theatre = await Replay.open({ activityDelayMs: 1, deletionDelayMs: 1 });
  });
  afterAll(() => theatre.close());

  describe.each(Object.entries(REPLAY_SCRIPTS))('%s', (_title, script) => {
    let preparations: Array<(theatre: Replay) => unknown> = [];
    for (const step of script) {
      if ('prepare' in step) {
        preparations.push(step.prepare);
        continue;
      }
      const before = preparations;
      preparations = [];
      it(`responds as in ${step.play}`, async () => {
        for (const run of before) await run(theatre);
        const answer = await theatre.play('rest', step.play, step.options(theatre));
        await step.then?.(theatre, answer as never);
      });
    }
    const after = preparations;
    afterAll(async () => {
      for (const run of after) await run(theatre);
    });
  });
});
