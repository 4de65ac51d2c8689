import { pollUntilEqual } from '../../scripts/demo/step';
import { KillSession } from '../support/kill-test';
import { watchedChatwoot } from '../support/watched-chatwoot';

jest.setTimeout(600_000);

const chatwoot = watchedChatwoot(['org-person', 'org-quick']);
const SPOKEN = ['Hello?', 'Hello!', 'A person, please.'];

describe("an agent who is requested by name, where Chatwoot's round robin would assign another", () => {
  it('has it in the end, whichever write was the last', async () => {
    const target = await chatwoot.targetAt('org-person');
    await target.stage.switchRoundRobinOn();
    const users = await target.stage.asOwner<{ id: number; name: string }[]>('GET', '/agents');
    const olga = String(users.find(({ name }) => name === 'Olga Owner')!.id);
    const assigned = 'POST /conversations/assignments: assignee_id n';
    await chatwoot.killTest.killAfterEachStep(target, 'person', {
      before: session => session.sendMessages(...SPOKEN),
      act: session => session.ask({ target: { agent: olga } }),
      finalState: 'ASSIGNED',
      requiredSteps: [assigned, 'POST /conversations/toggle_status: status open'],
    });
  });
});

describe('agents who act before the next replica', () => {
  it('are believed: what they resolved after a kill stays resolved', async () => {
    const target = await chatwoot.targetAt('org-quick');
    const { adam } = target.context;
    const session = new KillSession(chatwoot.killTest, target, 'quick');
    await session.sendMessages('A person, please.');
    const held = chatwoot.proxy.holdNext(await session.session(), (_, name) => name.endsWith('status open'));
    await session.ask();
    await held;
    await chatwoot.killTest.alive.kill();
    chatwoot.proxy.release();
    await adam.take(session.endUser);
    await adam.reply(session.endUser, 'Done.');
    await adam.resolve(session.endUser);

    // The sync at the start comes long before the dead process's lease expires.
    await chatwoot.killTest.start();
    const runtime = await session.runtime();
    const spoken = ['handoff ACTIVE by Adam Agent', 'Adam Agent: Done.'];
    expect(await pollUntilEqual(() => runtime.inbox(), spoken)).toEqual(spoken);
    await chatwoot.killTest.endLeases();
    await runtime.acknowledge();
    const outcome = ['outcome ENDED, AGENT_RESOLVED, by Adam Agent'];
    expect(await pollUntilEqual(() => runtime.inbox(), outcome)).toEqual(outcome);
    expect((await adam.readConversations(session.endUser))[0]!.status).toBe('resolved');
  });
});
