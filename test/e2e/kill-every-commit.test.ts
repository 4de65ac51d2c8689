import { DeskDemoAdapter } from '../../scripts/demo/desk-adapter';
import type { DemoAgent } from '../../scripts/demo/demo-adapter';
import { buildCommitGate, type CommitGate } from '../support/commit-gate';
import { KillTest, type KillTarget, type KillSession } from '../support/kill-test';

jest.setTimeout(600_000);

/*
 * The desk lies in our own database and answers at once: what can be lost is our commit behind its own. A process is
 * killed in the middle of each by which it records a step; the steps are those of an undisturbed run.
 */

const ORGANIZATION = 'org-desk';
let room: KillTest;
let gate: CommitGate;
let house: KillTarget;

const stageNow = () => new DeskDemoAdapter(room.alive.url, room.fleet.gateway(ORGANIZATION));
const adam = async (): Promise<DemoAgent> => (await stageNow().addStaff()).agent;

beforeAll(async () => {
  room = await KillTest.open([ORGANIZATION]);
  gate = await buildCommitGate(room.database.url, room.sql);
  house = {
    organization: ORGANIZATION,
    context: await room.createOrganization(ORGANIZATION, stageNow()),
    steps: gate,
    historyOf,
  };
});

afterAll(async () => {
  await gate?.close();
  await room?.close();
});

async function historyOf(endUser: string): Promise<object> {
  const { rows: contacts } = await room.sql.query<{ id: string }>('select id from desk_contact where name = $1', [
    endUser,
  ]);
  const { rows: conversations } = await room.sql.query(
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
const toTheTeam = (talk: KillSession) => talk.ask({ target: { team: house.context.teamId } });
const opened = async (talk: KillSession) => {
  await talk.sendMessages(...SPOKEN);
  await toTheTeam(talk);
  await talk.waitUntilIdle('QUEUED');
};

describe('a replica that is killed in any commit behind a step at the desk leaves it to the next, and nothing is there twice', () => {
  it('opening a first handoff', () =>
    room.killAfterEachStep(house, 'first', {
      before: talk => talk.sendMessages(...SPOKEN),
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

  it('opening a second one, on which the first has left its traces', () =>
    room.killAfterEachStep(house, 'second', {
      async before(talk) {
        await opened(talk);
        await (await adam()).take(talk.endUser);
        await talk.waitUntilIdle('ASSIGNED');
        await (await adam()).resolve(talk.endUser);
        await talk.waitUntilIdle(null);
        await talk.sendMessages('Once more, please.', 'Of course.');
      },
      act: toTheTeam,
      finalState: 'QUEUED',
      requiredSteps: ['done: RETURN_TO_BOT', 'message: Once more, please.', 'opened for agents: YES'],
    }));

  it.each(['BOT_CANCELLED', 'USER_ENDED'] as const)('giving it back (%s)', reason =>
    room.killAfterEachStep(house, reason, {
      async before(talk) {
        await opened(talk);
        await (await adam()).take(talk.endUser);
        await talk.waitUntilIdle('ASSIGNED');
      },
      act: talk => talk.cancel(reason),
      finalState: null,
      requiredSteps: ['status write'],
    }),
  );

  it('opening what an agent has taken over', () =>
    room.killAfterEachStep(house, 'takeover', {
      async before(talk) {
        await opened(talk);
        await talk.cancel('BOT_CANCELLED');
        await talk.waitUntilIdle(null);
        await talk.sendMessages('I think I manage.', 'Good.');
      },
      act: async talk => (await adam()).reply(talk.endUser, 'May I help?'),
      finalState: 'ACTIVE',
      requiredSteps: [
        'message: I think I manage.',
        'done: POST_MESSAGE',
        'opened for agents: YES',
        'done: OPEN_TAKEOVER',
      ],
    }));
});
