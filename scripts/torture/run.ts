import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { SupportClient } from '../../examples/support-client';
import { Explain } from '../demo/set-up';
import { Curtain } from './actor';
import { Agents } from './agents';
import { Chaos } from './chaos';
import { judge } from './checker';
import { Dice } from './dice';
import type { FarConversation } from './evidence';
import { Inbox } from './inbox';
import { Operator } from './operator';
import { RunRecord } from './record';
import { tallyOf, type Verdict } from './report';
import { Talk } from './talk';
import { CHATBOTS, PUSHED, World, type RealChatwoot } from './world';

export interface TortureOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly services: number;
  /** Number of simultaneous sessions. */
  readonly talks: number;
  /** Folder for the evidence, the services' logs and Postgres. Created if it does not exist. */
  readonly folder: string;
  /** Null: a double, of a release chosen from the seed. */
  readonly chatwoot: RealChatwoot | null;
  /** Module that lets Node load TypeScript, for a run from the sources. */
  readonly loader?: string;
  tell(line: string): void;
}

/**
 * Returns how long pending work may take after the faults end. A long run leaves a backlog that Chatwoot's limit of
 * messages slows down.
 */
const patienceMs = (seconds: number): number => 300_000 + seconds * 500;
const LAST_WORDS_MS = 90_000;
/** How long to wait after everything has arrived, so that duplicates would arrive, too. */
const AFTERMATH_MS = 5_000;

/** Executes one whole run: sets up the world, injects faults, ends them, and judges the result. */
export async function torture(options: TortureOptions): Promise<Verdict> {
  const { seed, folder, chatwoot, tell } = options;
  const dice = new Dice(seed);
  const version = dice.of('version').pick(['4.10', '4.14']);
  mkdirSync(folder, { recursive: true });
  const record = new RunRecord(folder);
  const world = await World.open({ dice: dice.of('world'), folder, services: options.services, chatwoot: chatwoot ?? { version }, loader: options.loader ?? null });
  try {
    tell(`The environment runs (${chatwoot === null ? `Chatwoot double ${version}` : chatwoot.url}); ${options.seconds} s of torture with seed ${seed} begin.`);
    const play = new Play(world, record, dice, options);
    await play.act();
    const { farSide, late } = await play.comeToRest();
    const evidence = record.with(farSide);
    record.close(farSide);
    return { seed, seconds: options.seconds, far: chatwoot === null ? `Chatwoot double ${version}` : 'Chatwoot', services: options.services, findings: judge(evidence), tally: tallyOf(evidence), faults: world.plans, strikes: play.chaos.counts, late };
  } finally {
    await world.stop();
    rmSync(path.join(folder, 'postgres'), { recursive: true, force: true });
    rmSync(path.join(folder, 'media'), { recursive: true, force: true });
  }
}

class Play {
  private readonly curtain = new Curtain();
  private readonly talks: Talk[] = [];
  private readonly names = new Set<string>();
  private readonly observer: SupportClient;
  private readonly operator: Operator;
  readonly chaos: Chaos;
  private people: Promise<unknown> = Promise.resolve();
  private readonly inboxes: Promise<unknown>;

  constructor(private readonly world: World, private readonly record: RunRecord, private readonly dice: Dice, private readonly options: TortureOptions) {
    world.endpoint.tell(record);
    record.add({ kind: 'begun', seconds: options.seconds, talks: options.talks });
    this.observer = world.client();
    this.operator = new Operator(world.operator(), record);
    this.chaos = new Chaos(world, dice.of('chaos'), record, this.curtain);
    this.inboxes = Promise.all(CHATBOTS.map(({ id }) => new Inbox({ chatbotId: id, isPushed: id === PUSHED, client: world.client(), dice: dice.of(`inbox ${id}`), record, curtain: this.curtain }).collect()));
    // It is awaited at the end, where its failure is reported.
    this.inboxes.catch(() => undefined);
  }

  /** Lets all actors run for the given time. */
  async act(): Promise<void> {
    const { world, record, dice, curtain } = this;
    const agents = new Agents({ chatwoot: world.chatwoot, dice: dice.of('agents'), record, curtain, knows: (session) => this.names.has(session) });
    this.people = Promise.all([agents.work(), ...Array.from({ length: this.options.talks }, (_, slot) => this.slot(slot + 1))]);
    const chaos = this.chaos.rage();
    await Promise.race([curtain.pause(this.options.seconds * 1_000), this.people, chaos]);
    curtain.fall();
    await chaos;
    await world.heal();
  }

  /** Ends all faults and waits until nothing is pending; then reads the remotes for the last time. */
  async comeToRest(): Promise<{ readonly farSide: readonly FarConversation[]; readonly late: boolean }> {
    const { curtain, world, record, options } = this;
    options.tell('The faults have ended; waiting until no work is pending.');
    const until = Date.now() + patienceMs(options.seconds);
    await Promise.race([this.people, setTimeout(LAST_WORDS_MS, undefined, { ref: false })]);
    let late = true;
    for (; Date.now() < until; await setTimeout(1_500)) {
      if (!(await this.isQuiet()) || !(await this.operator.looks(this.sessions)) || judge(record.with(await world.chatwoot.history())).some(({ column }) => column !== 'idle')) continue;
      late = false;
      await setTimeout(AFTERMATH_MS);
      break;
    }
    await this.isQuiet();
    await this.operator.looks(this.sessions);
    const farSide = await world.chatwoot.history();
    curtain.giveUp();
    await Promise.all([this.people, this.inboxes, this.observer.close(), this.operator.close()]);
    return { farSide, late };
  }

  private get sessions(): readonly Talk[] { return this.talks.filter(({ sessionId }) => sessionId !== ''); }

  private async slot(slot: number): Promise<void> {
    const { world, record, dice, curtain } = this;
    const chatbot = CHATBOTS[slot % CHATBOTS.length]!;
    const client = world.client();
    for (let generation = 1; !curtain.isOver; generation++) {
      const name = `s${slot}.${generation}`;
      const talk = new Talk({ name, chatbot, client, dice: dice.of(name), record, curtain, teams: world.chatwoot.teams });
      this.names.add(name);
      this.talks.push(talk);
      await talk.play();
    }
    await client.close();
  }

  /** Records the final state of each session once nothing is pending or in transit. */
  private async isQuiet(): Promise<boolean> {
    let quiet = true;
    for (const talk of this.sessions) {
      const seen = await this.observer.call(Explain, { sessionId: talk.sessionId }).then((answer) => answer.supportExplain, () => null);
      if (seen === null) {
        quiet = false;
        continue;
      }
      const { session: { control, epoch }, handoff, owed } = seen;
      this.record.add({ kind: 'final', session: talk.name, control, epoch, handoff, owed });
      if (owed.provider > 0 || owed.runtime > 0 || handoff?.state === 'REQUESTED' || handoff?.state === 'ENDING') quiet = false;
    }
    return quiet;
  }
}
