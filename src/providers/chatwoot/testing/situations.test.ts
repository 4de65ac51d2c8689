import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { DesiredState } from '../../../core/ports/provider/drift';
import { ChatwootFixture } from './fixture';

/**
 * The error that an operator gets for each fault around Chatwoot. Each has its own text, which ends with the next step.
 */

let fixture: ChatwootFixture;
let server: Server | undefined;
afterEach(async () => {
  await fixture?.stop();
  await new Promise<void>(resolve => {
    if (server) server.close(() => resolve());
    else resolve();
  });
  server = undefined;
});

const enable = () => fixture.ensureAccount();
const at = (baseUrl: string) => {
  fixture.access = { ...fixture.access, baseUrl };
};
const desired = (): DesiredState => ({
  access: fixture.access,
  owners: [],
  teams: [],
  inboxes: [
    {
      inboxId: String(fixture.inbox.providerData['id']),
      chatbotId: 'bot',
      name: 'Shop bot',
      externalId: fixture.inbox.externalId,
      providerData: fixture.inbox.providerData,
      members: null,
    },
  ],
});
async function serve(
  answer: (headers: Readonly<Record<string, unknown>>) => { status: number; type: string; body: string },
): Promise<string> {
  server = createServer((request, response) => {
    const { status, type, body } = answer(request.headers);
    request.resume().on('end', () => response.writeHead(status, { 'content-type': type }).end(body));
  });
  await new Promise<void>(resolve => server!.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
const says = (code: string, ...words: string[]) => ({
  code,
  message: expect.stringMatching(new RegExp(words.map(word => `(?=[^]*${word})`).join(''))),
});

describe('health reports to operators, with the next step,', () => {
  it('that the server is unreachable', async () => {
    fixture = await ChatwootFixture.open();
    const free = await serve(() => ({ status: 200, type: 'text/plain', body: '' }));
    await new Promise(resolve => server!.close(resolve));
    server = undefined;
    at(free);
    await expect(enable()).rejects.toMatchObject(
      says('PROVIDER_UNAVAILABLE', 'cannot be reached', 'Check that it runs'),
    );
  });

  it('that no server has the name', async () => {
    fixture = await ChatwootFixture.open({}, () =>
      Promise.reject(Object.assign(new TypeError('fetch failed'), { cause: { code: 'ENOTFOUND' } })),
    );
    await expect(enable()).rejects.toMatchObject(says('PROVIDER_UNAVAILABLE', 'cannot be reached', 'Check the host'));
  });

  it('that the certificate is not trusted', async () => {
    fixture = await ChatwootFixture.open({}, () =>
      Promise.reject(Object.assign(new TypeError('fetch failed'), { cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' } })),
    );
    await expect(enable()).rejects.toMatchObject(says('PROVIDER_UNAVAILABLE', 'certificate', 'Renew it'));
  });

  it.each([
    ['a page with 200', 200],
    ['a page with 404', 404],
  ])('that the path is wrong: %s', async (_what, status) => {
    fixture = await ChatwootFixture.open();
    at(`${await serve(() => ({ status, type: 'text/html', body: '<!doctype html><title>Chatwoot</title>' }))}/app`);
    await expect(enable()).rejects.toMatchObject(says('PROVIDER_UNAVAILABLE', 'got a page', 'Check the base URL'));
  });

  it("that a proxy drops the token's header", async () => {
    fixture = await ChatwootFixture.ready();
    const bare = await serve(({ 'api-access-token': token }) =>
      token
        ? { status: 500, type: 'application/json', body: '{}' }
        : {
            status: 401,
            type: 'application/json',
            body: '{"errors":["You need to sign in or sign up before continuing."]}',
          },
    );
    const dropping = await ChatwootFixture.open({}, (url, init) => {
      const { 'api-access-token': _, ...headers } = init?.headers as Record<string, string>;
      return fetch(url, { ...init!, headers });
    });
    try {
      dropping.access = { ...fixture.access, baseUrl: bare };
      await expect(dropping.provider.listTeams(dropping.access, dropping.signal())).rejects.toMatchObject(
        says('PROVIDER_AUTH', 'did not receive the token', 'Let the proxy pass that header'),
      );
    } finally {
      await dropping.stop();
    }
  });

  it('that the account is suspended, by sync and by inspection', async () => {
    fixture = await ChatwootFixture.ready();
    await fixture.farSide.platform('PATCH', `/accounts/${fixture.access.externalId}`, { status: 'suspended' });
    const suspended = says('PROVIDER_AUTH', 'suspended', 'Activate it');
    await expect(fixture.provider.listAgents(fixture.access, fixture.signal())).rejects.toMatchObject(suspended);
    await expect(fixture.provider.drift!.inspectDrift(desired(), fixture.signal())).rejects.toMatchObject(suspended);
    await expect(fixture.conversation()).rejects.toMatchObject(suspended);
  });

  it("that Chatwoot's own guard refuses our private address, from 4.14 on, beforehand and by its effect", async () => {
    fixture = await ChatwootFixture.open({ version: '4.14', allowPrivateNetwork: false });
    fixture.access = { ...fixture.access, webhookUrl: 'http://127.0.0.1:9/webhooks/account/secret' };
    expect((await enable()).manualSteps).toEqual([expect.stringContaining('SAFE_FETCH_ALLOW_PRIVATE_NETWORK')]);
    const made = await fixture.ensureInbox('Shop bot', undefined, '7a6a1f0e-36a5-4b4a-9d7b-0b6f5b0a9c11');
    fixture.inbox = { ...made, providerData: { ...made.providerData, id: '7a6a1f0e-36a5-4b4a-9d7b-0b6f5b0a9c11' } };
    const delivery = async () =>
      (await fixture.provider.drift!.inspectDrift(desired(), fixture.signal())).items.find(
        ({ kind }) => kind === 'WEBHOOK_DELIVERY',
      );
    expect(await delivery()).toMatchObject({ problem: null });
    await fixture.post(await fixture.conversation(), 'hello');
    await fixture.double.whenIdle();
    const refused = {
      repairable: false,
      problem: expect.stringMatching(/private.*SAFE_FETCH_ALLOW_PRIVATE_NETWORK=true.*SUPPORT_PUBLIC_URL/),
    };
    expect(await delivery()).toMatchObject(refused);

    // The mark of the newest message was removed, because it was read all the same.
    const newer = await fixture.conversation();
    const messageId = await fixture.post(newer, 'hello again');
    await fixture.double.whenIdle();
    await fixture.provider.reportDelivery!(
      { conversation: newer, messageId, state: 'DELIVERED', error: null },
      fixture.signal(),
    );
    expect(await delivery()).toMatchObject(refused);
    // After a message to an address that the guard does not refuse, earlier failures no longer count.
    await fixture.farSide.call('PATCH', `${fixture.account}/inboxes/${fixture.inbox.externalId}`, fixture.admin, {
      channel: { webhook_url: '' },
    });
    await fixture.post(await fixture.conversation(), 'hello once more');
    await fixture.double.whenIdle();
    expect(await delivery()).toMatchObject({ problem: null });
  });

  it('none of this for a healthy 4.14 with a public address', async () => {
    fixture = await ChatwootFixture.open({ version: '4.14' });
    fixture.access = { ...fixture.access, webhookUrl: 'https://support.example.com/webhooks/account/secret' };
    expect((await enable()).manualSteps).toEqual([]);
  });
});

it('a proxy that drops headers with underscores has no effect: ours have none', async () => {
  fixture = await ChatwootFixture.ready({}, (url, init) =>
    fetch(url, {
      ...init!,
      headers: Object.fromEntries(
        Object.entries(init?.headers as Record<string, string>).filter(([name]) => !name.includes('_')),
      ),
    }),
  );
  const conversation = await fixture.conversation();
  await fixture.post(conversation, 'through the proxy');
  expect((await fixture.messages(conversation)).map(({ content }) => content)).toEqual(['through the proxy']);
});

it.each([
  ['3.16', '3.16.0'],
  ['4.10', '4.10.0'],
  ['4.14', '4.14.2'],
] as const)('the version of %s is detected and recorded', async (version, recorded) => {
  fixture = await ChatwootFixture.open({ version });
  expect((await enable()).settings).toMatchObject({ version: recorded });
});
