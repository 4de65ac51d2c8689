import { contactScript, creationScript, deliveryStateScript, handlingScript, listScript, messageScript } from './replay/script-conversation';
import {
  agentBotScript, deletionScript, demotionScript, limitScript, outageScript, presenceScript, publicScript, surveyScript,
} from './replay/script-rest';
import { authScript, inboxScript, peopleScript, platformScript, settingsScript } from './replay/script-setup';
import { playedIn, type Step } from './replay/script';
import { recordingsIn } from './replay/recordings';
import { Theatre } from './replay/theatre';

/** The recorded server's life, told again in its order: later acts stand on earlier ones. */
const ACTS: Record<string, Step[]> = {
  'the Platform API': platformScript,
  'signing in': authScript,
  'agents': peopleScript,
  'inboxes': inboxScript,
  'teams, labels, bots and webhooks': settingsScript,
  'contacts': contactScript,
  'new conversations': creationScript,
  'messages': messageScript,
  'handling a conversation': handlingScript,
  'delivery states': deliveryStateScript,
  'lists': listScript,
  'an inbox with an agent bot': agentBotScript,
  'the bridge demoted to agent': demotionScript,
  'the public API': publicScript,
  'surveys': surveyScript,
  'deletions': deletionScript,
  'presence and suspension': presenceScript,
  'limits': limitScript,
  'outages': outageScript,
};

describe('the double answers as the recorded Chatwoot 4.10 did', () => {
  let theatre: Theatre;
  beforeAll(async () => { theatre = await Theatre.open({ activityDelayMs: 1, deletionDelayMs: 1 }); });
  afterAll(() => theatre.close());

  describe.each(Object.entries(ACTS))('%s', (_title, script) => {
    let preparations: Array<(theatre: Theatre) => unknown> = [];
    for (const step of script) {
      if ('prepare' in step) {
        preparations.push(step.prepare);
        continue;
      }
      const before = preparations;
      preparations = [];
      it(`answers as in ${step.play}`, async () => {
        for (const run of before) await run(theatre);
        const answer = await theatre.play('rest', step.play, step.options(theatre));
        await step.then?.(theatre, answer as never);
      });
    }
    const after = preparations;
    afterAll(async () => { for (const run of after) await run(theatre); });
  });
});

it('plays every recording of Chatwoot 4.10, each once', () => {
  expect(Object.values(ACTS).flatMap(playedIn).sort()).toEqual(recordingsIn('rest'));
});
