import { until } from '../../support/until';
import { rawConnection, startServer, type RunningServer } from './start-server';

let running: RunningServer;
afterEach(() => running.server.stop());

const OFFER = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n';
const count = (text: string, part: string): number => text.split(part).length - 1;

it('requests that offer another protocol than WebSocket are served, as often as they come', async () => {
  const warnings: Error[] = [];
  const warn = (warning: Error): void => {
    warnings.push(warning);
  };
  process.on('warning', warn);
  running = await startServer({
    providerPages: new Map([
      ['toy', async ({ readBody }) => ({ status: 200, headers: {}, body: `read ${String(await readBody())}.` })],
    ]),
  });
  const raw = rawConnection(running.port);
  for (let sent = 1; sent <= 20; sent++) {
    raw.socket.write(`POST /providers/toy/x HTTP/1.1\r\nHost: x\r\n${OFFER}Content-Length: 5\r\n\r\nhe`);
    raw.socket.write('llo');
    await until(() => count(raw.received(), 'read hello.') === sent);
  }
  raw.socket.write(`GET /livez HTTP/1.1\r\nHost: x\r\n${OFFER}\r\n`);
  await until(() => raw.received().includes('{"alive":true}'));
  raw.socket.destroy();
  await new Promise(setImmediate);
  process.off('warning', warn);
  expect(warnings).toEqual([]);
  expect(count(raw.received(), 'HTTP/1.1 200')).toBe(21);
});
