import type { ChildProcess } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { ended, hasEnded, start } from './processes';

const READY_WITHIN_MS = 120_000;
const START_LIMIT_MS = 40_000;
const POLL_MS = 100;

export interface ServicesOptions {
  readonly count: number;
  /** Environment of all processes. */
  readonly env: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly loader: string | null;
}

/** Runs the service's processes, each at a port of its own, and restarts those that die. */
export class Services {
  private readonly all: Service[];
  private isWatching = false;
  private watching: Promise<void> = Promise.resolve();

  private constructor(services: Service[]) {
    this.all = services;
  }

  static async start({ count, env, folder, loader }: ServicesOptions): Promise<Services> {
    const all: Service[] = [];
    for (let i = 1; i <= count; i++) {
      const one = new Service(`service ${i}`, await freePort(), env, path.join(folder, `service-${i}.log`), loader);
      all.push(one);
      one.launch();
      // The first one creates the tables.
      if (i === 1) await one.ready();
    }
    await Promise.all(all.map(one => one.ready()));
    return new Services(all);
  }

  /** The running ones, paused ones included, whose state a caller cannot know. */
  get running(): readonly Service[] {
    return this.all.filter(({ runs }) => runs);
  }

  /** The running ones that have become ready: killing them can lose more. */
  get up(): readonly Service[] {
    return this.running.filter(({ hasStarted }) => hasStarted);
  }

  /** From now on restarts a dead process after a delay. */
  watch(afterMs: () => number): void {
    this.isWatching = true;
    this.watching = this.supervise(afterMs);
  }

  /** Restarts and resumes all processes. */
  async heal(): Promise<void> {
    this.isWatching = false;
    await this.watching;
    for (const one of this.all) {
      one.resume();
      if (!one.runs) one.launch();
    }
    await Promise.all(this.all.map(one => one.ready()));
  }

  /** @returns the names of those that did not end by themselves */
  async stop(): Promise<readonly string[]> {
    this.isWatching = false;
    await this.watching;
    return (await Promise.all(this.all.map(one => one.stop()))).filter(name => name !== null);
  }

  private async supervise(afterMs: () => number): Promise<void> {
    while (this.isWatching) {
      for (const one of this.all)
        if (!one.runs && this.isWatching) {
          await setTimeout(afterMs());
          one.launch();
        }
      await setTimeout(POLL_MS);
    }
  }
}

export class Service {
  private child: ChildProcess | null = null;
  hasStarted = false;

  constructor(
    readonly name: string,
    private readonly port: number,
    private readonly env: Readonly<Record<string, string>>,
    private readonly logFile: string,
    private readonly loader: string | null,
  ) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }
  get runs(): boolean {
    return this.child !== null && !hasEnded(this.child);
  }

  launch(): void {
    const child = start({
      name: 'src/main',
      env: { ...this.env, HOST: '127.0.0.1', PORT: String(this.port) },
      logFile: this.logFile,
      loader: this.loader,
    });
    this.child = child;
    this.hasStarted = false;
    void this.probe(child);
  }

  /** Restarts a process that does not become ready, as an orchestrator does. Once it was ready, it is left alone. */
  private async probe(child: ChildProcess): Promise<void> {
    for (
      const until = Date.now() + START_LIMIT_MS;
      !hasEnded(child);
      await setTimeout(POLL_MS * 5, undefined, { ref: false })
    ) {
      if (await this.answers()) {
        this.hasStarted ||= this.child === child;
        return;
      }
      if (Date.now() > until) return void child.kill('SIGKILL');
    }
  }

  private answers(): Promise<boolean> {
    return fetch(`${this.url}/readyz`, { signal: AbortSignal.timeout(5_000) }).then(
      ({ ok }) => ok,
      () => false,
    );
  }

  /** @throws if it does not become ready */
  async ready(): Promise<void> {
    for (const until = Date.now() + READY_WITHIN_MS; ; await setTimeout(POLL_MS)) {
      if (await this.answers()) return;
      if (!this.runs) this.launch();
      if (Date.now() > until) throw new Error(`${this.name} did not become ready; its log is ${this.logFile}.`);
    }
  }

  signal(signal: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP'): void {
    this.child?.kill(signal);
  }
  resume(): void {
    this.child?.kill('SIGCONT');
  }

  async stop(): Promise<string | null> {
    const { child } = this;
    if (child === null || hasEnded(child)) return null;
    child.kill('SIGCONT');
    child.kill('SIGTERM');
    const isLate = await Promise.race([ended(child).then(() => false), setTimeout(30_000, true, { ref: false })]);
    if (!isLate) return null;
    child.kill('SIGKILL');
    await ended(child);
    return this.name;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
}
