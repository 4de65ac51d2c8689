import { gate } from '../persistence/store-world';
import { rawConnection, startServer, type RunningServer } from './start-server';
import { until } from '../../support/until';

let running: RunningServer;
afterEach(() => running.server.stop());

it('an event stream ends whose reader left before it started', async () => {
  const free = gate();
  let [isAsked, hasEnded] = [false, false];
  const silent: AsyncIterableIterator<string> = {
    [Symbol.asyncIterator]: () => silent,
    next: () => gate().opened.then(() => ({ done: true, value: undefined })),
    return: () => {
      hasEnded = true;
      return Promise.resolve({ done: true, value: undefined });
    },
  };
  running = await startServer({
    providerPages: new Map([
      [
        'toy',
        async () => {
          isAsked = true;
          await free.opened;
          return { status: 200, headers: { 'content-type': 'text/event-stream' }, body: silent };
        },
      ],
    ]),
  });
  const raw = rawConnection(running.port);
  raw.socket.write('GET /providers/toy/x HTTP/1.1\r\nHost: x\r\n\r\n');
  await until(() => isAsked);
  raw.socket.destroy();
  await until(() => running.lines.some(({ aborted }) => aborted === true));
  free.open();
  await until(() => hasEnded);
});
