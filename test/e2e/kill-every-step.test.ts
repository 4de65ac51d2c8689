import type { KillSession, KillTarget } from '../support/kill-test';
import { watchedChatwoot } from '../support/watched-chatwoot';

jest.setTimeout(600_000);

const chatwoot = watchedChatwoot(['org-team']);
const SPOKEN = ['Hello?', 'Hello!', 'A person, please.'];
const LONG = Array.from({ length: 52 }, (_, i) => `Line ${i + 1}`);

describe('a replica that is killed after any of its writes is continued by the next without duplicates', () => {
  let target: KillTarget;
  beforeAll(async () => {
    target = await chatwoot.targetAt('org-team');
  });

  const toTheTeam = (session: KillSession) => session.ask({ target: { team: target.context.teamId } });

  it('opening a first handoff', () =>
    chatwoot.killTest.killAfterEachStep(target, 'first', {
      before: session => session.sendMessages(...SPOKEN),
      act: toTheTeam,
      finalState: 'QUEUED',
      requiredSteps: [
        'POST /contacts',
        'POST /conversations',
        'POST /conversations/messages: Hello?',
        'POST /conversations/messages: Handed over by the bot.',
        'POST /conversations/assignments: team_id n',
        'POST /conversations/toggle_status: status open',
      ],
    }));

  it('opening one with a long history', () =>
    chatwoot.killTest.killAfterEachStep(target, 'long', {
      before: session => session.sendMessages(...LONG),
      act: toTheTeam,
      finalState: 'QUEUED',
      requiredSteps: ['POST /conversations/messages with a file', 'POST /conversations/messages: Line 52'],
    }));
});
