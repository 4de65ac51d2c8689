import { describeFailure } from './describe-failure';

/** The log that a loop needs. It never receives message text. */
export interface LoopLog {
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/**
 * Runs `tick` repeatedly: at once while it finds work, otherwise after a wake-up or `idleMs`, whichever is first. It
 * also waits after an error, so that a dead database gets a few queries a second and not a thousand.
 */
export class Loop {
  private stopped = false;
  private running: Promise<void> | undefined;
  private resume: (() => void) | undefined;
  private isWakePending = false;

  constructor(
    private readonly name: string,
    private readonly turn: () => Promise<boolean>,
    private readonly idleMs: number,
    private readonly log: LoopLog,
  ) {}

  start(): void {
    this.running ??= this.run();
  }

  wake(): void {
    this.isWakePending = true;
    this.resume?.();
  }

  /** Stops the loop. Resolves when the running tick has ended. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.resume?.();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      this.isWakePending = false;
      let found = false;
      try {
        found = await this.turn();
      } catch (error) {
        this.log.error(
          {
            work: this.name,
            ...describeFailure(error),
            next: 'It is retried automatically. If it keeps failing, check that the database responds.',
          },
          'background work failed',
        );
      }
      if (!found && !this.stopped) await this.idle();
    }
  }

  private idle(): Promise<void> {
    if (this.isWakePending) return Promise.resolve();
    return new Promise(resolve => {
      const timer = setTimeout(done, this.idleMs);
      const rouse = () => done();
      function done() {
        clearTimeout(timer);
        resolve();
      }
      this.resume = rouse;
    });
  }
}
