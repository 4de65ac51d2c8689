import { DeskDemoAdapter } from '../../scripts/demo/desk-adapter';
import type { DemoAgent } from '../../scripts/demo/demo-adapter';
import { buildCommitGate, type CommitGate } from './commit-gate';
import { KillTest, type KillSession, type KillTarget } from './kill-test';

/*
 * The desk stores its data in our own database and responds at once, so only our commit after its commit can be lost. A
 * process is killed in each commit that records a step; the steps are those of an undisturbed run.
 */

/** One replica with a desk whose commits can be stopped, for all tests of a file. */
export interface GatedDesk {
  readonly killTest: KillTest;
  readonly target: KillTarget;
  adam(): Promise<DemoAgent>;
  toTheTeam(session: KillSession): Promise<void>;
  /** Opens a handoff to the team. */
  opened(session: KillSession): Promise<void>;
}

/** Starts it before the file's tests. */
export function gatedDesk(): GatedDesk {
  let killTest: KillTest;
  let gate: CommitGate;
  let target: KillTarget;
  const stageNow = () => new DeskDemoAdapter(killTest.alive.url, killTest.fleet.gateway(ORGANIZATION));
  const toTheTeam = (session: KillSession) => session.ask({ target: { team: target.context.teamId } });

  beforeAll(async () => {
    killTest = await KillTest.open([ORGANIZATION]);
    gate = await buildCommitGate(killTest.database.url, killTest.sql);
    target = {
      organization: ORGANIZATION,
      context: await killTest.createOrganization(ORGANIZATION, stageNow()),
      steps: gate,
      historyOf: endUser => historyOf(killTest, endUser),
    };
  });
  afterAll(async () => {
    await gate?.close();
    await killTest?.close();
  });

  return {
    get killTest() {
      return killTest;
    },
    get target() {
      return target;
    },
    adam: async () => (await stageNow().addStaff()).agent,
    toTheTeam,
    async opened(session) {
      await session.sendMessages(...SPOKEN);
      await toTheTeam(session);
      await session.waitUntilIdle('QUEUED');
    },
  };
}

const ORGANIZATION = 'org-desk';
export const SPOKEN = ['Hello?', 'Hello!', 'A person, please.'];

async function historyOf(killTest: KillTest, endUser: string): Promise<object> {
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
