import type { ProviderHttpResponse } from '../../../src/core/ports/provider/definition';
import { gate } from '../persistence/store-world';
import { rawConnection, startServer, type RunningServer } from './start-server';
import { until } from '../../support/until';

let running: RunningServer;
afterEach(() => running.server.stop());

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
const pages = (work: (path: string) => Promise<void> | void) =>
  new Map([
    [
      'toy',
      async ({ path }: { path: string }) => {
        await work(path);
        return { status: 200, headers: {}, body: `page ${path}` };
      },
    ],
  ]);
const isServed = async (): Promise<boolean> => (await fetch(`${running.url}/providers/toy/other`)).status === 200;

describe('requests that a connection sends before it has the responses to earlier ones', () => {
  it('occupy no slot when the connection ends before they start', async () => {
    const free = gate();
    let waiting = 0;
    running = await startServer({
      maxPages: 1,
      providerPages: pages(() => undefined),
      files: async (_request, response) => {
        waiting += 1;
        await free.opened;
        response.end();
      },
    });
    const raw = rawConnection(running.port);
    raw.socket.write(get('/files/a/b') + get('/providers/toy/x'));
    await until(() => waiting === 1);
    raw.socket.destroy();
    await raw.closed;
    await until(isServed);
    free.open();
  });

  it('occupy no slot while an event stream precedes them', async () => {
    let calls = 0;
    async function* endless(): AsyncGenerator<string> {
      yield ': here\n\n';
      await gate().opened;
    }
    running = await startServer({
      maxPages: 1,
      providerPages: new Map([
        [
          'toy',
          ({ path }) => {
            calls += 1;
            return Promise.resolve<ProviderHttpResponse>(
              path === '/stream'
                ? { status: 200, headers: { 'content-type': 'text/event-stream' }, body: endless() }
                : { status: 200, headers: {}, body: '' },
            );
          },
        ],
      ]),
    });
    const raw = rawConnection(running.port);
    raw.socket.write(get('/providers/toy/stream') + get('/providers/toy/x'));
    await until(() => raw.received().includes(': here'));
    expect(await isServed()).toBe(true);
    expect(calls).toBe(2);
    raw.socket.destroy();
  });

  it('are served one after the other, in their order', async () => {
    const free = gate();
    const begun: string[] = [];
    running = await startServer({
      providerPages: pages(async path => {
        begun.push(path);
        if (path === '/1') await free.opened;
      }),
    });
    const raw = rawConnection(running.port);
    raw.socket.write(get('/providers/toy/1') + get('/providers/toy/2') + get('/providers/toy/3'));
    await until(() => begun.length > 0);
    await isServed();
    expect(begun).toEqual(['/1', '/other']);
    free.open();
    await until(() => raw.received().includes('page /3'));
    expect(raw.received().match(/page \/\d/g)).toEqual(['page /1', 'page /2', 'page /3']);
    raw.socket.destroy();
  });

  it('close their connection when too many wait', async () => {
    const free = gate();
    running = await startServer({ providerPages: pages(() => free.opened) });
    const raw = rawConnection(running.port);
    raw.socket.write(get('/providers/toy/1').repeat(100));
    await raw.closed;
    free.open();
  });
});
