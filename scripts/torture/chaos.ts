import { setTimeout } from 'node:timers/promises';
import type { Curtain } from './actor';
import type { Dice } from './dice';
import type { RunRecord } from './record';
import { LEASE_MS, type World } from './world';

export const STRIKES = ['kill -9', 'pause', 'pause beyond the lease', 'SIGTERM', 'Postgres restart', 'provider outage'] as const;
export type Strike = (typeof STRIKES)[number];

const OFTEN: Readonly<Record<Strike, number>> = { 'kill -9': 35, pause: 15, 'pause beyond the lease': 15, SIGTERM: 10, 'Postgres restart': 10, 'provider outage': 15 };

/** Disrupts the world while the actors run. */
export class Chaos {
  readonly counts: Partial<Record<Strike, number>> = {};
  private readonly pauses = new Set<Promise<void>>();

  constructor(private readonly world: World, private readonly dice: Dice, private readonly record: RunRecord, private readonly curtain: Curtain) {}

  async rage(): Promise<void> {
    const { world, dice, curtain } = this;
    world.begin();
    world.services.watch(() => dice.between(0, 2_000));
    const cables = this.pullCables();
    // Each kind once, in an order from the seed, before random choices: so even a short run has all of them.
    const first = [...STRIKES].sort(() => dice.roll() - 0.5);
    while (!curtain.isOver) {
      await curtain.pause(first.length > 0 ? dice.between(1_000, 3_000) : dice.between(3_000, 8_000));
      if (curtain.isOver) break;
      if (world.postgres.isGone) {
        this.record.add({ kind: 'chaos', what: 'Postgres was stopped from outside the run' });
        await world.restartPostgres(async () => undefined);
      }
      const strike = first.shift() ?? dice.weighted(OFTEN);
      if (!(await this.strike(strike))) continue;
      this.counts[strike] = (this.counts[strike] ?? 0) + 1;
    }
    await Promise.all([cables, ...this.pauses]);
  }

  /** @returns whether the disruption was possible */
  private async strike(strike: Strike): Promise<boolean> {
    const { world, dice, curtain } = this;
    // Now and then a process that has not become ready yet.
    const service = dice.pick(dice.chance(0.15) ? world.services.running : world.services.up);
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
        const ms = strike === 'pause' ? dice.between(300, LEASE_MS / 2) : dice.between(LEASE_MS * 1.1, LEASE_MS * 1.8);
        tell(`${service.name} paused for ${Math.round(ms)} ms`);
        service.signal('SIGSTOP');
        const paused = curtain.pause(ms).then(() => { service.resume(); });
        this.pauses.add(paused);
        void paused.finally(() => this.pauses.delete(paused));
        return true;
      }
      case 'Postgres restart':
        tell('Postgres crashes');
        await world.restartPostgres(() => curtain.pause(dice.between(0, 2_000)));
        tell('Postgres is back');
        return true;
      case 'provider outage':
        tell('Chatwoot is away');
        world.hops.chatwoot.away(true);
        await curtain.pause(dice.between(2_000, 6_000));
        world.hops.chatwoot.away(false);
        tell('Chatwoot is back');
        return true;
    }
  }

  private async pullCables(): Promise<void> {
    while (!this.curtain.isOver) {
      await setTimeout(this.dice.between(500, 3_500));
      this.world.hops.database.strike();
    }
  }
}
