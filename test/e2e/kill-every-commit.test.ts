import { gatedDesk, SPOKEN } from '../support/gated-desk';

jest.setTimeout(600_000);

const desk = gatedDesk();

describe('a replica that is killed in any commit of a step at the desk is continued by the next without duplicates', () => {
  it('opening a first handoff', () =>
    desk.killTest.killAfterEachStep(desk.target, 'first', {
      before: session => session.sendMessages(...SPOKEN),
      act: desk.toTheTeam,
      finalState: 'QUEUED',
      requiredSteps: [
        'contact',
        'conversation',
        'status write',
        'message: Hello?',
        'post',
        'done: POST_CONTEXT_NOTE',
        'opened for agents: MAYBE',
        'opened for agents: YES',
        'done: OPEN_HANDOFF',
      ],
    }));

  it('opening a second one, after the effects of the first', () =>
    desk.killTest.killAfterEachStep(desk.target, 'second', {
      async before(session) {
        await desk.opened(session);
        await (await desk.adam()).take(session.endUser);
        await session.waitUntilIdle('ASSIGNED');
        await (await desk.adam()).resolve(session.endUser);
        await session.waitUntilIdle(null);
        await session.sendMessages('Once more, please.', 'Of course.');
      },
      act: desk.toTheTeam,
      finalState: 'QUEUED',
      requiredSteps: ['done: RETURN_TO_BOT', 'message: Once more, please.', 'opened for agents: YES'],
    }));
});
