import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { startEmbedded, type EmbeddedPostgres } from '../../src/persistence/embedded/embedded-postgres';

/** Runs a durable Postgres for this run, which can crash and restart with everything that it committed. */
export class TorturePostgres {
  private constructor(
    private readonly folder: string,
    private server: EmbeddedPostgres,
  ) {}

  static async start(folder: string): Promise<TorturePostgres> {
    return new TorturePostgres(folder, await startEmbedded(folder));
  }

  /** Whether it was stopped from outside the run. */
  get isGone(): boolean {
    return !existsSync(this.lockFile);
  }

  private get lockFile(): string {
    return path.join(this.folder, 'pgdata', 'postmaster.pid');
  }

  get port(): number {
    return Number(new URL(this.server.url).port);
  }

  /** Returns the server's address with another port, e.g. a proxy's. */
  urlAt(port: number): string {
    const url = new URL(this.server.url);
    url.port = String(port);
    return url.href;
  }

  /** Stops it at once without a checkpoint, as after a power failure; the next start recovers from the log. */
  async crash(): Promise<void> {
    if (!this.isGone) process.kill(Number(readFileSync(this.lockFile, 'utf8').split('\n')[0]), 'SIGQUIT');
    await this.server.stop();
  }

  async restart(): Promise<void> {
    this.server = await startEmbedded(this.folder);
  }

  stop(): Promise<void> {
    return this.server.stop();
  }
}
