import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import type { FaultPlan } from './faults';

interface Line {
  readonly near: Socket;
  readonly remote: Socket;
  /** Nothing passes any more, and neither end is notified. */
  isSilent: boolean;
  /** The response to the current commit is dropped: it took effect, and the caller does not know. */
  cutsAnswer: boolean;
}

const SLOW_MS = 40;
/** After this time even the side that waits for nothing has noticed the broken connection, as with keep-alives. */
const NOTICED_AFTER_MS = 45_000;

/**
 * Forwards bytes between the services and their Postgres. Drops the response to some commits; cuts, silences or slows
 * down whole connections when `strike` is called.
 */
export class TcpFaultProxy {
  private readonly server: Server;
  private readonly lines = new Set<Line>();
  private slowUntil = 0;
  private target = 0;

  private constructor(private readonly plan: FaultPlan) {
    this.server = createServer(near => this.open(near));
    plan.whenCalm(() => {
      for (const line of this.lines) if (line.isSilent) close(line);
    });
  }

  static async start(plan: FaultPlan): Promise<TcpFaultProxy> {
    const proxy = new TcpFaultProxy(plan);
    await new Promise<void>(resolve => proxy.server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Sets the port of new connections; a restarted Postgres has another port. */
  lead(port: number): void {
    this.target = port;
  }

  /** Injects one fault into an open connection. Called now and then. */
  strike(): void {
    if (!this.plan.isActive || this.lines.size === 0) return;
    const line = this.plan.random.pick([...this.lines]);
    switch (this.plan.random.weighted({ cut: 8, halfOpen: 1, latency: 3 })) {
      case 'cut':
        this.plan.count('cut');
        return close(line);
      case 'halfOpen':
        this.plan.count('halfOpen');
        return silence(line);
      case 'latency':
        this.plan.count('latency');
        this.slowUntil = Date.now() + 2_000;
        return;
    }
  }

  /** Silences all open connections; later ones are not affected. */
  silence(): void {
    for (const line of this.lines) silence(line);
  }

  async stop(): Promise<void> {
    for (const line of this.lines) close(line);
    await new Promise(resolve => this.server.close(resolve));
  }

  private open(near: Socket): void {
    const remote = connect(this.target, '127.0.0.1');
    const line: Line = { near, remote: remote, isSilent: false, cutsAnswer: false };
    this.lines.add(line);
    for (const [from, to] of [
      [near, remote],
      [remote, near],
    ] as const) {
      from.setNoDelay(true);
      from
        .on('error', () => undefined)
        .on('close', () => {
          // The end of one side is not forwarded, just like its bytes: the other side notices by itself, later.
          if (line.isSilent) return;
          this.lines.delete(line);
          to.destroy();
        });
      this.pass(line, from, to);
    }
  }

  private pass(line: Line, from: Socket, to: Socket): void {
    let before: Promise<unknown> | null = null;
    from.on('data', (chunk: Buffer) => {
      if (line.isSilent) return;
      if (from === line.remote && line.cutsAnswer && isCommit(chunk)) {
        this.plan.count('appliedThenCut');
        return close(line);
      }
      if (from === line.near && this.plan.isActive && isCommit(chunk) && this.plan.random.chance(0.004))
        line.cutsAnswer = true;
      if (before === null && Date.now() >= this.slowUntil) return void to.write(chunk);
      const turn: Promise<unknown> = (before ?? Promise.resolve())
        .then(() => setTimeout(SLOW_MS))
        .then(() => {
          if (!line.isSilent) to.write(chunk);
        });
      before = turn;
      void turn.then(() => {
        if (before === turn) before = null;
      });
    });
  }
}

const isCommit = (chunk: Buffer): boolean => chunk.includes('commit') || chunk.includes('COMMIT');

function silence(line: Line): void {
  line.isSilent = true;
  void setTimeout(NOTICED_AFTER_MS, undefined, { ref: false }).then(() => close(line));
}

function close({ near, remote: remote }: Line): void {
  near.destroy();
  remote.destroy();
}
