import { DeskDemoAdapter } from '../../scripts/demo/desk-adapter';
import type { DemoAgent } from '../../scripts/demo/demo-adapter';
import { buildCommitGate, type CommitGate } from '../support/commit-gate';
import { KillTest, type KillTarget, type KillSession } from '../support/kill-test';

jest.setTimeout(600_000);

/*
 * The desk stores its data in our own database and responds at once, so only our commit after its commit can be lost. A
 * process is killed in each commit that records a step; the steps are those of an undisturbed run.
 */

const ORGANIZATION = 'org-desk';
let killTest: KillTest;
let gate: CommitGate;
let target: KillTarget;

const stageNow = () => new DeskDemoAdapter(killTest.alive.url, killTest.fleet.gateway(ORGANIZATION));
const adam = async (): Promise<DemoAgent> => (await stageNow().addStaff()).agent;

beforeAll(async () => {
  killTest = await KillTest.open([ORGANIZATION]);
  gate = await buildCommitGate(killTest.database.url, killTest.sql);
  target = {
    organization: ORGANIZATION,
    context: await killTest.createOrganization(ORGANIZATION, stageNow()),
    steps: gate,
    historyOf,
  };
});

afterAll(async () => {
  await gate?.close();
  await killTest?.close();
});

async function historyOf(endUser: string): Promise<object> {
  const { rows: contacts } = await killTest.sql.query<{ id: string }>('select id from desk_contact where name = $1', [
    endUser,
  ]);
  const { rows: conversations } = await killTest.sql.query(
    `
    select c.status, c.priority, t.name as team, a.name as agent,
      (select array_agg(concat_ws(' ', m.kind, m.author, m.visibility, m.text) order by m.id) from desk_message m where m.conversation_id = c.id) as lines
    from desk_conversation c left join desk_team t on t.id = c.team_id left join desk_agent a on a.id = c.agent_id
    where c.contact_id = any($1::bigint[]) order by c.id`,
    [contacts.map(({ id }) => id)],
  );
  return { contacts: contacts.length, conversations };
}

const SPOKEN = ['Hello?', 'Hello!', 'A person, please.'];
const toTheTeam = (session: KillSession) => session.ask({ target: { team: target.context.teamId } });
const opened = async (session: KillSession) => {
  await session.sendMessages(...SPOKEN);
  await toTheTeam(session);
  await session.waitUntilIdle('QUEUED');
};

describe('a replica that is killed in any commit of a step at the desk is continued by the next without duplicates', () => {
  it('opening a first handoff', () =>
    killTest.killAfterEachStep(target, 'first', {
      before: session => session.sendMessages(...SPOKEN),
      act: toTheTeam,
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
    killTest.killAfterEachStep(target, 'second', {
      async before(session) {
        await opened(session);
        await (await adam()).take(session.endUser);
        await session.waitUntilIdle('ASSIGNED');
        await (await adam()).resolve(session.endUser);
        await session.waitUntilIdle(null);
        await session.sendMessages('Once more, please.', 'Of course.');
      },
      act: toTheTeam,
      finalState: 'QUEUED',
      requiredSteps: ['done: RETURN_TO_BOT', 'message: Once more, please.', 'opened for agents: YES'],
    }));

  it.each(['BOT_CANCELLED', 'USER_ENDED'] as const)('returning it (%s)', reason =>
    killTest.killAfterEachStep(target, reason, {
      async before(session) {
        await opened(session);
        await (await adam()).take(session.endUser);
        await session.waitUntilIdle('ASSIGNED');
      },
      act: session => session.cancel(reason),
      finalState: null,
      requiredSteps: ['status write'],
    }),
  );

  it('opening what an agent has taken over', () =>
    killTest.killAfterEachStep(target, 'takeover', {
      async before(session) {
        await opened(session);
        await session.cancel('BOT_CANCELLED');
        await session.waitUntilIdle(null);
        await session.sendMessages('I think I manage.', 'Good.');
      },
      act: async session => (await adam()).reply(session.endUser, 'May I help?'),
      finalState: 'ACTIVE',
      requiredSteps: [
        'message: I think I manage.',
        'done: POST_MESSAGE',
        'opened for agents: YES',
        'done: OPEN_TAKEOVER',
      ],
    }));
});
