import {
  contactScript,
  creationScript,
  deliveryStateScript,
  handlingScript,
  messageScript,
} from './replay/script-conversation';
import { agentBotScript, publicScript, surveyScript } from './replay/script-rest';
import { inboxScript, peopleScript, platformScript, settingsScript } from './replay/script-setup';
import { webhookScript } from './replay/script-webhooks';
import { EXPECTED } from './replay/expected-webhooks';
import { Replay } from './replay/replay';

const STORY = [
  ...platformScript,
  ...peopleScript,
  ...inboxScript,
  ...settingsScript,
  ...contactScript,
  ...creationScript,
  ...messageScript,
  ...handlingScript,
  ...deliveryStateScript,
  ...agentBotScript,
  ...publicScript,
  ...surveyScript,
  ...webhookScript,
];

/** Returns the path to which a recording was delivered, by its name. */
function pathOf(name: string): string {
  if (name.startsWith('agent_bot.')) return '/agent-bot';
  if (name.includes('url_query_key')) return '/inbox?key=abc';
  if (name.includes('bot_handoff')) return '/inbox-with-bot';
  return name.endsWith('.account') ? '/account' : '/inbox';
}

const eventOf = (name: string) => name.replace(/^agent_bot\./, '').split('.')[0] as string;

describe('the double sends the webhooks that Chatwoot 4.10 was recorded to send', () => {
  let theatre: Replay;
  beforeAll(async () => {
    theatre = await Replay.open({ activityDelayMs: 1, deletionDelayMs: 1 });
    for (const step of STORY) {
      if ('prepare' in step) {
        await step.prepare(theatre);
      } else {
        const answer = await theatre.play('rest', step.play, step.options(theatre));
        await step.then?.(theatre, answer as never);
        await theatre.double.whenIdle();
      }
    }
    await theatre.double.whenIdle();
  });
  afterAll(() => theatre.close());

  it.each(Object.entries(EXPECTED))('%s', async (name, { fits, ignore }) => {
    const came = await theatre.receiver.next(
      webhook => webhook.url === pathOf(name) && webhook.event === eventOf(name) && fits(JSON.parse(webhook.body)),
      1000,
    );
    theatre.compareWebhook('webhooks', `${name}.json`, came, ignore ? { ignore } : {});
  });

  it('reports no activity lines', () => {
    expect(theatre.receiver.received.filter(webhook => JSON.parse(webhook.body).message_type === 'activity')).toEqual(
      [],
    );
  });
});
