import { gatedDesk } from '../support/gated-desk';

jest.setTimeout(600_000);

const desk = gatedDesk();

describe('a replica that is killed in any commit of a step at the desk is continued by the next without duplicates', () => {
  it.each(['BOT_CANCELLED', 'USER_ENDED'] as const)('returning it (%s)', reason =>
    desk.killTest.killAfterEachStep(desk.target, reason, {
      async before(session) {
        await desk.opened(session);
        await (await desk.adam()).take(session.endUser);
        await session.waitUntilIdle('ASSIGNED');
      },
      act: session => session.cancel(reason),
      finalState: null,
      requiredSteps: ['status write'],
    }),
  );

  it('opening what an agent has taken over', () =>
    desk.killTest.killAfterEachStep(desk.target, 'takeover', {
      async before(session) {
        await desk.opened(session);
        await session.cancel('BOT_CANCELLED');
        await session.waitUntilIdle(null);
        await session.sendMessages('I think I manage.', 'Good.');
      },
      act: async session => (await desk.adam()).reply(session.endUser, 'May I help?'),
      finalState: 'ACTIVE',
      requiredSteps: [
        'message: I think I manage.',
        'done: POST_MESSAGE',
        'opened for agents: YES',
        'done: OPEN_TAKEOVER',
      ],
    }));
});
