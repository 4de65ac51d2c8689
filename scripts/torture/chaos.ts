import { setTimeout } from 'node:timers/promises';
import type { ShutdownSignal } from './shutdown-signal';
import type { SeededRandom } from './seeded-random';
import type { RunRecord } from './record';
import { LEASE_MS, type World } from './world';

export const DISRUPTIONS = [
  'kill -9',
  'pause',
  'pause beyond the lease',
  'SIGTERM',
  'Postgres restart',
  'provider outage',
] as const;
export type Disruption = (typeof DISRUPTIONS)[number];

const DISRUPTION_WEIGHTS: Readonly<Record<Disruption, number>> = {
  'kill -9': 35,
  pause: 15,
  'pause beyond the lease': 15,
  SIGTERM: 10,
  'Postgres restart': 10,
  'provider outage': 15,
};

/** Disrupts the world while the actors run. */
export class Chaos {
  readonly counts: Partial<Record<Disruption, number>> = {};
  private readonly pauses = new Set<Promise<void>>();

  constructor(
    private readonly world: World,
    private readonly random: SeededRandom,
    private readonly record: RunRecord,
    private readonly shutdown: ShutdownSignal,
  ) {}

  async run(): Promise<void> {
    const { world, random: dice, shutdown } = this;
    world.begin();
    world.services.watch(() => dice.between(0, 2_000));
    const cables = this.cutConnections();
    // Each kind once, in an order from the seed, before random choices: so even a short run has all of them.
    const first = [...DISRUPTIONS].sort(() => dice.next() - 0.5);
    while (!shutdown.isOver) {
      await shutdown.pause(first.length > 0 ? dice.between(1_000, 3_000) : dice.between(3_000, 8_000));
      if (shutdown.isOver) break;
      if (world.postgres.isGone) {
        this.record.add({ kind: 'chaos', what: 'Postgres was stopped from outside the run' });
        await world.restartPostgres(async () => undefined);
      }
      const strike = first.shift() ?? dice.weighted(DISRUPTION_WEIGHTS);
      if (!(await this.disrupt(strike))) continue;
      this.counts[strike] = (this.counts[strike] ?? 0) + 1;
    }
    await Promise.all([cables, ...this.pauses]);
  }

  /** @returns whether the disruption was possible */
  private async disrupt(strike: Disruption): Promise<boolean> {
    const { world, random, shutdown } = this;
    // Now and then a process that has not become ready yet.
    const service = random.pick(random.chance(0.15) ? world.services.running : world.services.up);
    const tell = (what: string) => this.record.add({ kind: 'chaos', what });
    switch (strike) {
      case 'kill -9':
      case 'SIGTERM':
        if (!service) return false;
        tell(`${strike} ${service.name}`);
        service.signal(strike === 'SIGTERM' ? 'SIGTERM' : 'SIGKILL');
        return true;
      case 'pause':
      case 'pause beyond the lease': {
        if (!service) return false;
        const ms =
          strike === 'pause' ? random.between(300, LEASE_MS / 2) : random.between(LEASE_MS * 1.1, LEASE_MS * 1.8);
        tell(`${service.name} paused for ${Math.round(ms)} ms`);
        service.signal('SIGSTOP');
        const paused = shutdown.pause(ms).then(() => {
          service.resume();
        });
        this.pauses.add(paused);
        void paused.finally(() => this.pauses.delete(paused));
        return true;
      }
      case 'Postgres restart':
        tell('Postgres crashes');
        await world.restartPostgres(() => shutdown.pause(random.between(0, 2_000)));
        tell('Postgres is back');
        return true;
      case 'provider outage':
        tell('Chatwoot is away');
        world.hops.chatwoot.setAway(true);
        await shutdown.pause(random.between(2_000, 6_000));
        world.hops.chatwoot.setAway(false);
        tell('Chatwoot is back');
        return true;
    }
  }

  private async cutConnections(): Promise<void> {
    while (!this.shutdown.isOver) {
      await setTimeout(this.random.between(500, 3_500));
      this.world.hops.database.strike();
    }
  }
}
