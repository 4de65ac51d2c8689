import { failureOf } from './failure';

/** What a loop needs from outside; the log never gets people's words. */
export interface LoopLog { error(fields: Readonly<Record<string, unknown>>, message: string): void }

/**
 * Runs `turn` again and again: at once while it found work, else after a wake-up or `idleMs`, whichever is first. An
 * error waits too, so that a dead database is asked a few times a second and not a thousand.
 */
export class Loop {
  private stopped = false;
  private running: Promise<void> | undefined;
  private rouse: (() => void) | undefined;
  private woken = false;

  constructor(private readonly name: string, private readonly turn: () => Promise<boolean>, private readonly idleMs: number, private readonly log: LoopLog) {}

  start(): void { this.running ??= this.run(); }

  wake(): void {
    this.woken = true;
    this.rouse?.();
  }

  /** Resolves when the turn under way has ended. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.rouse?.();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      this.woken = false;
      let found = false;
      try {
        found = await this.turn();
      } catch (error) {
        this.log.error({ work: this.name, ...failureOf(error), next: 'It is tried again by itself. If it goes on failing, see whether the database answers.' }, 'background work failed');
      }
      if (!found && !this.stopped) await this.idle();
    }
  }

  private idle(): Promise<void> {
    if (this.woken) return Promise.resolve();
    return new Promise(resolve => {
      const timer = setTimeout(done, this.idleMs);
      const rouse = () => done();
      function done() { clearTimeout(timer); resolve(); }
      this.rouse = rouse;
    });
  }
}
