import { connect, type Socket } from 'node:net';
import { startTestService } from '../demo/test-service';
import { table } from './figures';

const ASKED = 50;

/**
 * Counts how many of another tenant's calls get 200 while bodies of one tenant's, or anonymous, requests hang. Counts,
 * not times.
 */
export async function measureHangingBodies(newDatabase: () => Promise<string>): Promise<string> {
  const service = await startTestService(await newDatabase());
  const { port } = new URL(service.url);
  const open: Socket[] = [];
  /** Sends the headers and one byte of each body. */
  const hang = (count: number, path: string, headers: Readonly<Record<string, string>>): void => {
    const lines = Object.entries({
      host: 'x',
      'content-type': 'application/json',
      'content-length': '100',
      ...headers,
    }).map(([name, value]) => `${name}: ${value}\r\n`);
    for (let i = 0; i < count; i++)
      open.push(
        connect(Number(port), '127.0.0.1', function (this: Socket) {
          this.write(`POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n{`);
        })
          .on('error', () => undefined)
          .resume(),
      );
  };
  const other = { ...service.gateway, 'x-organization-id': 'org-other', 'x-support-role': 'operator' };
  const ask = async (path: string, init: RequestInit): Promise<number> => {
    const statuses = await Promise.all(
      Array.from({ length: ASKED }, async () => {
        const response = await fetch(service.url + path, init);
        await response.arrayBuffer();
        return response.status;
      }),
    );
    return statuses.filter(status => status === 200).length;
  };
  const page = () => ask('/providers/desk/api/agents', { headers: other });
  const query = () =>
    ask('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...other },
      body: '{"query":"{ __typename }"}',
    });
  // Before the service has seen the hanging requests, its first responses may still be those of an idle process.
  const during = async (
    count: number,
    path: string,
    headers: Readonly<Record<string, string>>,
    call: () => Promise<number>,
  ): Promise<string> => {
    hang(count, path, headers);
    await new Promise(resolve => setTimeout(resolve, 1_000));
    const answered = await call();
    for (const socket of open.splice(0)) socket.destroy();
    return `${answered} of ${ASKED}`;
  };
  try {
    return table(
      ['beside', "another tenant's calls", 'answered 200'],
      [
        [
          "40 slow anonymous POSTs to a provider's page",
          'that page',
          await during(40, '/providers/desk/api/conversations/1/messages', {}, page),
        ],
        ['260 slow GraphQL bodies of one tenant', 'queries', await during(260, '/graphql', service.gateway, query)],
      ],
    );
  } finally {
    await service.stop();
  }
}
