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

  it.each(['BOT_CANCELLED', 'USER_ENDED'] as const)('returning it (%s)', reason =>
    chatwoot.killTest.killAfterEachStep(target, reason, {
      async before(session) {
        await opened(session);
        await target.context.adam.take(session.endUser);
        await session.waitUntilIdle('ASSIGNED');
      },
      act: session => session.cancel(reason),
      finalState: null,
      requiredSteps: [`POST /conversations/toggle_status: status ${reason === 'USER_ENDED' ? 'resolved' : 'pending'}`],
    }),
  );
});
