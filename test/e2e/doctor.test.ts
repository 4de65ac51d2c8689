import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { printFindings, isWrong, canRunDemo } from '../../scripts/doctor/print-findings';
import { startChatwootDouble, type ChatwootDouble } from '../../src/providers/chatwoot/testing/double';
import { ChatwootApi } from '../../src/providers/chatwoot/testing/remote';

let double: ChatwootDouble;
let said: string;
const servers: Server[] = [];

beforeAll(async () => {
  double = await startChatwootDouble();
});
beforeEach(() => {
  said = '';
});
afterAll(async () => {
  await double.stop();
  for (const server of servers)
    await new Promise(resolve => {
      server.closeAllConnections();
      server.close(resolve);
    });
});

async function listen(
  answer: (
    path: string,
    headers: IncomingHttpHeaders,
  ) => Promise<{ status: number; type: string; body: string; location?: string }>,
): Promise<string> {
  const server = createServer(
    (request, response) =>
      void answer(request.url ?? '', request.headers).then(({ status, type, body, location }) =>
        response.writeHead(status, { 'content-type': type, ...(location && { location }) }).end(body),
      ),
  );
  servers.push(server);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A proxy that drops header names. */
const dropping = (...dropped: string[]) =>
  listen(async (path, headers) => {
    const kept = ['api-access-token', 'api_access_token'].filter(
      name => headers[name] !== undefined && !dropped.includes(name),
    );
    const answer = await fetch(double.baseUrl + path, {
      headers: Object.fromEntries(kept.map(name => [name, String(headers[name])])),
    });
    return { status: answer.status, type: 'application/json', body: await answer.text() };
  });

/** A Chatwoot of another version. */
const ofVersion = (version: string, health: object = {}) =>
  listen(async (path, headers) => {
    if (path === '/api')
      return {
        status: 200,
        type: 'application/json',
        body: JSON.stringify({ version, queue_services: 'ok', data_services: 'ok', ...health }),
      };
    const answer = await fetch(double.baseUrl + path, {
      headers: { 'api-access-token': String(headers['api-access-token']) },
    });
    return { status: answer.status, type: 'application/json', body: await answer.text() };
  });

async function look(url: string, token = double.platformToken, publicUrl?: string) {
  const findings = await printFindings(
    { url, token, publicUrl },
    {
      log: (text: string) => {
        said += `${text}\n`;
      },
    },
  );
  return {
    findings,
    states: findings.map(({ check, state }) => `${check} ${state}`),
    wrong: isWrong(findings),
    play: canRunDemo(findings),
  };
}
const GOOD = ['reachable ok', 'api ok', 'version ok', 'header ok', 'token ok', 'services ok'];

describe('the doctor', () => {
  it('reports nothing wrong for a working Chatwoot, changes nothing there and never shows the token', async () => {
    const census = await new ChatwootApi(double.baseUrl, double.platformToken).census();
    double.clearRequests();
    const { states, wrong, play } = await look(`${double.baseUrl}/`, double.platformToken, 'http://127.0.0.1:4000');
    expect({ states, wrong, play }).toEqual({ states: [...GOOD, 'webhooks ok'], wrong: false, play: true });
    expect(
      double
        .requests()
        .map(({ method }) => method)
        .filter(method => method !== 'GET'),
    ).toEqual([]);
    expect(await new ChatwootApi(double.baseUrl, double.platformToken).census()).toEqual(census);
    expect(said).not.toContain(double.platformToken);
  });

  it('stops at an address where nothing listens, and at an unknown name', async () => {
    const gone = await startChatwootDouble();
    await gone.stop();
    for (const url of [gone.baseUrl, 'http://chatwoot.invalid']) {
      const { states, findings } = await look(url);
      expect(states).toEqual(['reachable wrong']);
      expect(findings[0]!.nextStep).toBeTruthy();
    }
  });

  it.each([
    ['a page', { status: 200, type: 'text/html', body: '<!doctype html><title>Hello</title>' }],
    ['a page that says 404', { status: 404, type: 'text/html', body: '<h1>Not Found</h1>' }],
    ['JSON of something else', { status: 200, type: 'application/json', body: '{"hello":"world"}' }],
    ['a redirect', { status: 301, type: 'text/html', body: '', location: 'https://elsewhere.invalid/api' }],
    ['a proxy without a Chatwoot', { status: 502, type: 'text/html', body: '<h1>Bad Gateway</h1>' }],
  ])("distinguishes %s from Chatwoot's API", async (_what, answer) => {
    const { states, findings } = await look(await listen(async () => answer));
    expect(states).toEqual(['reachable ok', 'api wrong']);
    expect(findings[1]!.nextStep).toBeTruthy();
  });

  it("distinguishes tokens: unknown, a person's, an administrator's without an account, an agent bot's, none", async () => {
    const remote = new ChatwootApi(double.baseUrl, double.platformToken);
    const { id } = await remote.platform('POST', '/accounts', { name: 'Acme' });
    const [ada, bob] = await Promise.all(
      ['ada', 'bob'].map(name =>
        remote.platform('POST', '/users', { name, email: `${name}@doctor.example`, password: 'Passw0rd!x' }),
      ),
    );
    await remote.platform('POST', `/accounts/${id}/account_users`, { user_id: ada.id, role: 'administrator' });
    await remote.platform('POST', `/accounts/${id}/account_users`, { user_id: bob.id, role: 'agent' });
    const bot = await remote.call('POST', `/api/v1/accounts/${id}/agent_bots`, ada.access_token, { name: 'Bot' });
    const stateOf = async (token: string) =>
      (await look(double.baseUrl, token)).findings.find(({ check }) => check === 'token');

    const known = await stateOf(ada.access_token);
    expect(known).toMatchObject({ state: 'advice' });
    expect(known!.message).toContain(`account ${id}`);
    const others = await Promise.all([bob.access_token, bot.access_token, 'no-such-token', 'two words'].map(stateOf));
    expect(others.map(finding => finding?.state)).toEqual(['wrong', 'wrong', 'wrong', 'wrong']);
    expect(new Set(others.map(finding => finding?.message)).size).toBe(4);
    for (const token of [ada.access_token, bob.access_token, bot.access_token]) expect(said).not.toContain(token);
  });

  it('reports a list of accounts that Chatwoot can no longer build, with the workaround, as no error', async () => {
    const broken = await startChatwootDouble();
    try {
      const remote = new ChatwootApi(broken.baseUrl, broken.platformToken);
      expect((await look(broken.baseUrl, broken.platformToken)).states).not.toContain('accounts advice');
      const { id } = await remote.platform('POST', '/accounts', { name: 'A demo' });
      await remote.platform('DELETE', `/accounts/${id}`);
      await broken.whenIdle();
      const { states, findings, wrong, play } = await look(broken.baseUrl, broken.platformToken);
      expect({ states, wrong, play }).toMatchObject({
        states: expect.arrayContaining(['accounts advice']),
        wrong: false,
        play: true,
      });
      expect(findings.find(({ check }) => check === 'accounts')!.nextStep).toContain('PlatformAppPermissible');
    } finally {
      await broken.stop();
    }
  });

  it('detects a proxy that drops our header, and one that drops only the documented spelling', async () => {
    const documented = await look(await dropping('api_access_token'));
    expect(documented.states.slice(0, 6)).toEqual(GOOD);
    expect(documented.findings[3]!.message).not.toBe((await look(double.baseUrl)).findings[3]!.message);
    expect((await look(await dropping('api_access_token', 'api-access-token'))).states).toContain('header wrong');
  });

  it.each([
    ['3.15.2', 'wrong'],
    ['3.16.0', 'ok'],
    ['4.9.2', 'ok'],
    ['4.10.0', 'ok'],
    ['4.17.3', 'ok'],
    ['4.18.0', 'advice'],
    ['5.0.0', 'advice'],
    ['nightly', 'advice'],
  ])('judges version %s: %s', async (version, state) => {
    expect((await look(await ofVersion(version))).findings[2]).toMatchObject({ check: 'version', state });
  });

  it('reports differences between versions', async () => {
    const says = async (version: string) =>
      (await look(await ofVersion(version))).findings[2]!.message.split('\n').length - 1;
    expect(await Promise.all(['3.16.0', '4.10.0', '4.13.0', '4.14.0', '4.15.0'].map(says))).toEqual([3, 1, 1, 2, 3]);
  });

  it('reports services that fail', async () => {
    for (const health of [{ queue_services: 'failing' }, { data_services: 'failing' }])
      expect((await look(await ofVersion('4.10.0', health))).states).toContain('services wrong');
  });

  it.each([
    [undefined, '4.10.0', 'advice'],
    ['http://192.168.1.5:4000', '4.10.0', 'ok'],
    ['http://192.168.1.5:4000', '4.14.0', 'advice'],
    ['http://localhost:4000', '4.14.0', 'advice'],
    ['http://8.8.8.8', '4.14.0', 'ok'],
    ['support.example.com', '4.10.0', 'wrong'],
  ])('judges webhooks to %s from %s: %s', async (publicUrl, version, state) => {
    expect((await look(await ofVersion(version), double.platformToken, publicUrl)).findings.at(-1)).toMatchObject({
      check: 'webhooks',
      state,
    });
  });
});
