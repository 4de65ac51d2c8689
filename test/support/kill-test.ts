import { Pool } from 'pg';
import { CancelHandoffDocument, type HandoffCancelReason } from '../../examples/generated/client';
import { done } from '../../examples/support-client';
import { Runtime } from '../../scripts/demo/runtime';
import type { DemoAdapter } from '../../scripts/demo/demo-adapter';
import { pollUntilEqual } from '../../scripts/demo/step';
import { SETUP_STEPS, DemoContext } from '../../scripts/demo/demo-steps';
import { runSteps } from '../../scripts/demo/run-steps';
import { createTestDatabase, type TestDatabase } from '../../src/testing/database';
import { ReplicaSet } from './replica-set';
import type { Replica } from './replica';

/** How much work of one account a process runs at the same time. */
const CONCURRENCY = 8;

/** The observable steps of a scenario, and where they can be stopped. */
export interface Steps {
  /** The steps of one session so far, by name and in order. */
  of(sessionId: string): Promise<readonly string[]>;
  /**
   * Stops the session at step number `index`. The returned function waits until that step has taken effect at the
   * remote but is unknown to this service, and returns its name.
   */
  hold(sessionId: string, index: number): Promise<() => Promise<string>>;
  /** Called after the kill: drops what was stopped, as a dead process does, and lets everything pass again. */
  release(): Promise<void>;
}

export interface KillTarget extends TestOrganization {
  readonly steps: Steps;
  /** Everything about one end-user at the remote. */
  historyOf(endUser: string): Promise<object>;
}

/** An organization that is set up, with its chatbot. */
export interface TestOrganization {
  readonly organization: string;
  readonly context: DemoContext;
}

export interface KillScenario {
  /** The preparation. */
  before(killSession: KillSession): Promise<void>;
  /** The action that causes the steps; the process is killed after each of them. */
  act(killSession: KillSession): Promise<void>;
  /** The handoff's state at the end; null: ended. */
  readonly finalState: string | null;
  /** Steps that the scenario must contain, to prove that it is the intended one. */
  readonly requiredSteps: readonly string[];
}

/** Runs one replica after the other: each is killed, and the next one continues its work. */
export class KillTest {
  alive!: Replica;

  private constructor(
    readonly database: TestDatabase,
    readonly sql: Pool,
    readonly fleet: ReplicaSet,
  ) {}

  static async open(organizations: readonly string[]): Promise<KillTest> {
    const database = await createTestDatabase();
    const sql = new Pool({ connectionString: database.url, max: 4 });
    // Timers run as rarely, and limits are as long, as possible: then only the tested scenario finds changes, and
    // stopped calls wait for the kill.
    const fleet = new ReplicaSet(database.url, organizations, {
      SUPPORT_LIVE_SCAN_INTERVAL_SECONDS: '3600',
      SUPPORT_PROVIDER_TIMEOUT_MS: '120000',
      SUPPORT_POOL_SIZE: '30',
      SUPPORT_DRAIN_LIMIT_SECONDS: '3600',
    });
    const killTest = new KillTest(database, sql, fleet);
    killTest.alive = await fleet.add();
    return killTest;
  }

  async close(): Promise<void> {
    await this.fleet.stop();
    await this.sql.end();
    await this.database.drop();
  }

  async createOrganization(
    organization: string,
    adapter: DemoAdapter,
    policy: object = { mirroring: 'ON_HANDOFF' },
  ): Promise<DemoContext> {
    const story = new DemoContext(
      adapter,
      this.fleet.operator(this.alive, organization),
      this.fleet.bot(this.alive, organization),
      policy,
    );
    const said: string[] = [];
    const out = {
      log: (text: string) => {
        said.push(text);
      },
      error: (text: string) => {
        said.push(text);
      },
    };
    if ((await runSteps(SETUP_STEPS, story, out)) !== 0) throw new Error(said.join('\n'));
    return story;
  }

  /** Starts the next replica at the same address. */
  async start(): Promise<void> {
    this.alive = await this.fleet.add(this.alive.port);
  }

  /** Lets a minute pass, so that the dead process's leases have expired. */
  async endLeases(of: readonly ('PROVIDER' | 'SYNC')[] = ['PROVIDER', 'SYNC']): Promise<void> {
    await this.sql.query(
      "update lane set next_run_at = now() - interval '1 minute' where next_run_at > now() and destination = any($1)",
      [of],
    );
  }

  /** Pretends that the dead process was syncing every conversation, so that no sync helps the scenario. */
  private async holdSyncs(): Promise<void> {
    await this.sql.query(`
      insert into lane (session_id, destination, organization_id, remote_id, next_run_at, is_claimed)
      select id, 'SYNC', organization_id, account_id, now() + interval '1 hour', true from session
      on conflict on constraint pk_lane do update set next_run_at = excluded.next_run_at, is_claimed = true, claimed_by = null`);
  }

  /**
   * Compares a table with one row per step of an undisturbed run; each row shows the final state at the remote. Several
   * sessions are stopped at the same time, each at its own step, so that one kill serves all of them.
   */
  async killAfterEachStep(
    target: KillTarget,
    title: string,
    { before, act, finalState, requiredSteps }: KillScenario,
  ): Promise<void> {
    const undisturbed = new KillSession(this, target, `${title}, undisturbed`);
    await before(undisturbed);
    const first = (await target.steps.of(await undisturbed.session())).length;
    await act(undisturbed);
    await undisturbed.waitUntilIdle(finalState);
    const all = (await target.steps.of(await undisturbed.session())).slice(first);
    expect(all).toEqual(expect.arrayContaining([...requiredSteps]));
    const expected = await target.historyOf(undisturbed.endUser);

    const steps = all.map((step, index) => ({ step, index })).filter(({ index }) => !isInTheMiddle(all, index));
    const seen: Record<string, unknown> = {};
    for (let from = 0; from < steps.length; from += CONCURRENCY) {
      const sessions = steps
        .slice(from, from + CONCURRENCY)
        .map(one => ({ ...one, session: new KillSession(this, target, `${title}, ${one.index}`) }));
      await Promise.all(sessions.map(({ session: killSession }) => before(killSession)));
      const held = await Promise.all(
        sessions.map(async ({ session: killSession, index }) => {
          const reached = await target.steps.hold(await killSession.session(), index);
          await act(killSession);
          return reached();
        }),
      );
      expect(held).toEqual(sessions.map(({ step }) => step));

      await this.alive.kill();
      await target.steps.release();
      await this.holdSyncs();
      // Before the next replica starts, so that it finds that no call of the dead one can still take effect.
      await this.endLeases(['PROVIDER']);
      await this.start();
      for (const { session: killSession } of sessions) await killSession.waitUntilDelivered();
      await this.endLeases(['SYNC']);
      for (const { session: killSession, step, index } of sessions) {
        await killSession.waitUntilIdle(finalState);
        seen[`${index}: ${step}`] = await pollUntilEqual(() => target.historyOf(killSession.endUser), expected);
      }
    }
    expect(seen).toEqual(Object.fromEntries(steps.map(({ step, index }) => [`${index}: ${step}`, expected])));
  }
}

/**
 * Returns whether a step is in the middle of a long row of messages, with two on either side. A kill after it is
 * equivalent to a kill after its neighbor.
 */
const isInTheMiddle = (steps: readonly string[], index: number): boolean =>
  index >= 2 && [-2, -1, 0, 1, 2].every(distance => /: Line \d/.test(steps[index + distance] ?? ''));

/** One end-user with their bot, using whichever replica is alive. */
export class KillSession {
  readonly endUser: string;
  private at: { readonly replica: Replica; readonly runtime: Runtime } | undefined;
  private asked = 0;

  constructor(
    private readonly room: KillTest,
    private readonly home: TestOrganization,
    private readonly name: string,
  ) {
    this.endUser = `Ida, ${name}.`;
  }

  async session(): Promise<string> {
    return (await this.runtime()).session;
  }

  /** Sends the lines alternately as end-user and bot. */
  async sendMessages(...lines: readonly string[]): Promise<void> {
    const runtime = await this.runtime();
    for (const [i, line] of lines.entries()) await (i % 2 === 0 ? runtime.userSays(line) : runtime.botSays(line));
  }

  async ask(input: Parameters<Runtime['requestHandoff']>[0] = {}): Promise<void> {
    await (await this.runtime()).requestHandoff({
      reason: 'Asked for a person',
      priority: 'HIGH',
      ...input,
      idempotencyKey: `${this.endUser} ${++this.asked}`,
    });
  }

  async cancel(reason: HandoffCancelReason): Promise<void> {
    const { client, session } = await this.runtime();
    done(
      (
        await client.call(CancelHandoffDocument, {
          input: { sessionId: session, reason, idempotencyKey: `${this.endUser} cancel` },
        })
      ).cancelHandoff,
    );
  }

  /**
   * Waits until nothing is pending at the provider, the handoff has the expected state, and the runtime has collected
   * everything.
   */
  async waitUntilIdle(state: string | null): Promise<void> {
    const expected = { talk: this.name, owed: 0, parked: 0, writes: 'finished', state };
    const look = async () => {
      const runtime = await this.runtime();
      await runtime.acknowledge();
      const { pendingDeliveries, handoff } = await runtime.explain();
      const {
        rows: [row],
      } = await this.room.sql.query<{ isOdd: boolean }>(
        'select status_writes % 2 = 1 as "isOdd" from session where id = $1',
        [runtime.session],
      );
      const isOver = handoff === null || ['ENDED', 'REJECTED', 'FAILED'].includes(handoff.state);
      return {
        talk: this.name,
        owed: pendingDeliveries.provider + pendingDeliveries.runtime,
        parked: pendingDeliveries.parked,
        writes: row!.isOdd ? 'under way' : 'finished',
        state: isOver ? null : handoff.state,
      };
    };
    expect(await pollUntilEqual(look, expected)).toEqual(expected);
  }

  /** Waits until nothing is pending for the provider. */
  async waitUntilDelivered(): Promise<void> {
    expect(
      await pollUntilEqual(async () => (await (await this.runtime()).explain()).pendingDeliveries.provider, 0),
    ).toBe(0);
  }

  /** As `rests`, but collects nothing. */
  async waitForState(state: string): Promise<void> {
    expect(await pollUntilEqual(async () => (await (await this.runtime()).explain()).handoff?.state, state)).toBe(
      state,
    );
  }

  /** Returns the runtime's client at whichever replica is alive. */
  async runtime(): Promise<Runtime> {
    const { alive, fleet } = this.room;
    if (this.at?.replica !== alive) {
      const runtime = new Runtime(fleet.bot(alive, this.home.organization), this.home.context.chatbotId, this.name);
      this.at = { replica: alive, runtime };
      await runtime.open({ name: this.endUser });
    }
    return this.at.runtime;
  }
}
