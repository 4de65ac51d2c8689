import type { KillSession, KillTarget } from '../support/kill-test';
import { watchedChatwoot } from '../support/watched-chatwoot';

jest.setTimeout(600_000);

const chatwoot = watchedChatwoot(['org-team']);
const SPOKEN = ['Hello?', 'Hello!', 'A person, please.'];

describe('a replica that is killed after any of its writes is continued by the next without duplicates', () => {
  let target: KillTarget;
  beforeAll(async () => {
    target = await chatwoot.targetAt('org-team');
  });

  const toTheTeam = (session: KillSession) => session.ask({ target: { team: target.context.teamId } });
  const opened = async (session: KillSession) => {
    await session.sendMessages(...SPOKEN);
    await toTheTeam(session);
    await session.waitUntilIdle('QUEUED');
  };

  it('opening a second one, after the effects of the first', () =>
    chatwoot.killTest.killAfterEachStep(target, 'second', {
      async before(session) {
        const { adam } = target.context;
        await opened(session);
        await adam.take(session.endUser);
        await session.waitUntilIdle('ASSIGNED');
        // Chatwoot's own activity line about it comes a little later.
        await chatwoot.double.whenIdle();
        await adam.reply(session.endUser, 'Here I am.');
        await session.waitUntilIdle('ACTIVE');
        await adam.resolve(session.endUser);
        await session.waitUntilIdle(null);
        await session.sendMessages('Once more, please.', 'Of course.');
      },
      act: toTheTeam,
      finalState: 'QUEUED',
      requiredSteps: [
        'POST /conversations/toggle_status: status pending',
        'POST /conversations/assignments: assignee_id null',
        'POST /conversations/assignments: team_id 0',
        'POST /conversations/toggle_priority: priority null',
      ],
    }));

  it('opening what an agent has taken over', () =>
    chatwoot.killTest.killAfterEachStep(target, 'takeover', {
      async before(session) {
        await opened(session);
        await session.cancel('BOT_CANCELLED');
        await session.waitUntilIdle(null);
        await session.sendMessages('I think I manage.', 'Good.');
      },
      act: session => target.context.adam.reply(session.endUser, 'May I help?'),
      finalState: 'ACTIVE',
      requiredSteps: [
        'POST /conversations/messages: I think I manage.',
        'POST /conversations/assignments: assignee_id n',
        'POST /conversations/toggle_status: status open',
      ],
    }));
});
