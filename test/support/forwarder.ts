import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** One address for a moving target: new connections go to the last target of `aim`. */
export interface Forwarder {
  readonly port: number;
  /** Sets the target. Null: new connections are refused. Open connections stay. */
  aim(port: number | null): void;
  /** Drops all data in both directions from now on, without any error: connections stay, and new ones are accepted. */
  fallSilent(): void;
  stop(): Promise<void>;
}

export async function startForwarder(choose: () => number | null): Promise<Pick<Forwarder, 'port' | 'stop'>>;
export async function startForwarder(target: number | null): Promise<Forwarder>;
export async function startForwarder(target: number | null | (() => number | null)): Promise<Forwarder> {
  let aimed = typeof target === 'function' ? null : target;
  let isSilent = false;
  const choose = typeof target === 'function' ? target : () => aimed;
  const open = new Set<Socket>();
  const server = createServer(incoming => {
    const port = choose();
    if (port === null) {
      incoming.destroy();
      return;
    }
    if (isSilent) {
      open.add(incoming.on('error', () => undefined));
      return;
    }
    const outgoing = connect(port, '127.0.0.1');
    for (const [socket, other] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      open.add(socket);
      socket
        .on('error', () => undefined)
        .on('close', () => {
          open.delete(socket);
          other.destroy();
        });
      socket.pipe(other);
    }
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    aim(port) {
      aimed = port;
    },
    fallSilent() {
      isSilent = true;
      for (const socket of open) socket.unpipe().pause();
    },
    async stop() {
      for (const socket of open) socket.destroy();
      await new Promise(resolve => server.close(resolve));
    },
  };
}
