import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { SupportClient } from '../../examples/support-client';
import { Explain } from '../demo/operations';
import { ShutdownSignal } from './shutdown-signal';
import { Agents } from './agents';
import { Chaos } from './chaos';
import { checkEvidence } from './check-evidence';
import { SeededRandom } from './seeded-random';
import type { RemoteConversation } from './evidence';
import { Inbox } from './inbox';
import { Operator } from './operator';
import { RunRecord } from './record';
import { tallyOf, type Verdict } from './report';
import { SessionActor } from './session-actor';
import { CHATBOTS, PUSHED, World, type RealChatwoot } from './world';

export interface TortureOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly services: number;
  /** Number of simultaneous sessions. */
  readonly sessions: number;
  /** Folder for the evidence, the services' logs and Postgres. Created if it does not exist. */
  readonly folder: string;
  /** Null: a double, of a release chosen from the seed. */
  readonly chatwoot: RealChatwoot | null;
  /** Module that lets Node load TypeScript, for a run from the sources. */
  readonly loader?: string;
  log(line: string): void;
}

/**
 * Returns how long pending work may take after the faults end. A long run leaves a backlog that Chatwoot's limit of
 * messages slows down.
 */
const maxWaitMs = (seconds: number): number => 300_000 + seconds * 500;
const FINISH_MS = 90_000;
/** How long to wait after everything has arrived, so that duplicates would arrive, too. */
const AFTER_IDLE_MS = 5_000;

/** Executes one whole run: sets up the world, injects faults, ends them, and judges the result. */
export async function runTorture(options: TortureOptions): Promise<Verdict> {
  const { seed, folder, chatwoot, log } = options;
  const random = new SeededRandom(seed);
  const version = random.stream('version').pick(['4.10', '4.14']);
  mkdirSync(folder, { recursive: true });
  const record = new RunRecord(folder);
  const world = await World.open({
    random: random.stream('world'),
    folder,
    services: options.services,
    chatwoot: chatwoot ?? { version },
    loader: options.loader ?? null,
  });
  try {
    log(
      `The environment runs (${chatwoot === null ? `Chatwoot double ${version}` : chatwoot.url}); ${options.seconds} s of torture with seed ${seed} begin.`,
    );
    const play = new TortureRun(world, record, random, options);
    await play.runActors();
    const { remote, isLate } = await play.waitUntilIdle();
    const evidence = record.with(remote);
    record.close(remote);
    return {
      seed,
      seconds: options.seconds,
      remote: chatwoot === null ? `Chatwoot double ${version}` : 'Chatwoot',
      services: options.services,
      findings: checkEvidence(evidence),
      tally: tallyOf(evidence),
      faults: world.plans,
      disruptions: play.chaos.counts,
      isLate,
    };
  } finally {
    await world.stop();
    rmSync(path.join(folder, 'postgres'), { recursive: true, force: true });
    rmSync(path.join(folder, 'media'), { recursive: true, force: true });
  }
}

class TortureRun {
  private readonly shutdown = new ShutdownSignal();
  private readonly actors: SessionActor[] = [];
  private readonly names = new Set<string>();
  private readonly observer: SupportClient;
  private readonly operator: Operator;
  readonly chaos: Chaos;
  private agents: Promise<unknown> = Promise.resolve();
  private readonly inboxes: Promise<unknown>;

  constructor(
    private readonly world: World,
    private readonly record: RunRecord,
    private readonly random: SeededRandom,
    private readonly options: TortureOptions,
  ) {
    world.endpoint.useRecord(record);
    record.add({ kind: 'begun', seconds: options.seconds, sessions: options.sessions });
    this.observer = world.client();
    this.operator = new Operator(world.operator(), record);
    this.chaos = new Chaos(world, random.stream('chaos'), record, this.shutdown);
    this.inboxes = Promise.all(
      CHATBOTS.map(({ id }) =>
        new Inbox({
          chatbotId: id,
          isPushed: id === PUSHED,
          client: world.client(),
          random: random.stream(`inbox ${id}`),
          record,
          shutdown: this.shutdown,
        }).collect(),
      ),
    );
    // It is awaited at the end, where its failure is reported.
    this.inboxes.catch(() => undefined);
  }

  /** Lets all actors run for the given time. */
  async runActors(): Promise<void> {
    const { world, record, random, shutdown } = this;
    const agents = new Agents({
      chatwoot: world.chatwoot,
      random: random.stream('agents'),
      record,
      shutdown,
      knows: session => this.names.has(session),
    });
    this.agents = Promise.all([
      agents.work(),
      ...Array.from({ length: this.options.sessions }, (_, slot) => this.runSlot(slot + 1)),
    ]);
    const chaos = this.chaos.run();
    await Promise.race([shutdown.pause(this.options.seconds * 1_000), this.agents, chaos]);
    shutdown.stop();
    await chaos;
    await world.heal();
  }

  /** Ends all faults and waits until nothing is pending; then reads the remotes for the last time. */
  async waitUntilIdle(): Promise<{ readonly remote: readonly RemoteConversation[]; readonly isLate: boolean }> {
    const { shutdown, world, record, options } = this;
    options.log('The faults have ended; waiting until no work is pending.');
    const until = Date.now() + maxWaitMs(options.seconds);
    await Promise.race([this.agents, setTimeout(FINISH_MS, undefined, { ref: false })]);
    let isLate = true;
    for (; Date.now() < until; await setTimeout(1_500)) {
      if (
        !(await this.isIdle()) ||
        !(await this.operator.inspect(this.sessions)) ||
        checkEvidence(record.with(await world.chatwoot.history())).some(({ column }) => column !== 'idle')
      )
        continue;
      isLate = false;
      await setTimeout(AFTER_IDLE_MS);
      break;
    }
    await this.isIdle();
    await this.operator.inspect(this.sessions);
    const remote = await world.chatwoot.history();
    shutdown.abort();
    await Promise.all([this.agents, this.inboxes, this.observer.close(), this.operator.close()]);
    return { remote, isLate };
  }

  private get sessions(): readonly SessionActor[] {
    return this.actors.filter(({ sessionId }) => sessionId !== '');
  }

  private async runSlot(slot: number): Promise<void> {
    const { world, record, random, shutdown } = this;
    const chatbot = CHATBOTS[slot % CHATBOTS.length]!;
    const client = world.client();
    for (let generation = 1; !shutdown.isOver; generation++) {
      const name = `s${slot}.${generation}`;
      const actor = new SessionActor({
        name,
        chatbot,
        client,
        random: random.stream(name),
        record,
        shutdown,
        teams: world.chatwoot.teams,
      });
      this.names.add(name);
      this.actors.push(actor);
      await actor.run();
    }
    await client.close();
  }

  /** Records the final state of each session once nothing is pending or in transit. */
  private async isIdle(): Promise<boolean> {
    let quiet = true;
    for (const actor of this.sessions) {
      const seen = await this.observer.call(Explain, { sessionId: actor.sessionId }).then(
        answer => answer.supportExplain,
        () => null,
      );
      if (seen === null) {
        quiet = false;
        continue;
      }
      const {
        session: { control, epoch },
        handoff,
        pendingDeliveries,
      } = seen;
      this.record.add({ kind: 'final', session: actor.name, control, epoch, handoff, pending: pendingDeliveries });
      if (
        pendingDeliveries.provider > 0 ||
        pendingDeliveries.runtime > 0 ||
        handoff?.state === 'REQUESTED' ||
        handoff?.state === 'ENDING'
      )
        quiet = false;
    }
    return quiet;
  }
}
