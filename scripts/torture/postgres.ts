import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { startEmbedded, type EmbeddedPostgres } from '../../src/persistence/embedded-postgres';

/** A durable Postgres of the run's own, which can fall over and come back with what it had committed. */
export class OwnPostgres {
  private constructor(private readonly folder: string, private server: EmbeddedPostgres) {}

  static async start(folder: string): Promise<OwnPostgres> { return new OwnPostgres(folder, await startEmbedded(folder)); }

  /** Whether somebody outside of the run has stopped it. */
  get isGone(): boolean { return !existsSync(this.lockFile); }

  private get lockFile(): string { return path.join(this.folder, 'pgdata', 'postmaster.pid'); }

  get port(): number { return Number(new URL(this.server.url).port); }

  /** The same server's address, at another port: that of a proxy. */
  urlAt(port: number): string {
    const url = new URL(this.server.url);
    url.port = String(port);
    return url.href;
  }

  /** At once and without a checkpoint, as after a power cut; the next start recovers from the log. */
  async fallOver(): Promise<void> {
    if (!this.isGone) process.kill(Number(readFileSync(this.lockFile, 'utf8').split('\n')[0]), 'SIGQUIT');
    await this.server.stop();
  }

  async comeBack(): Promise<void> { this.server = await startEmbedded(this.folder); }

  stop(): Promise<void> { return this.server.stop(); }
}
