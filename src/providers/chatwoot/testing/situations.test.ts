import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { DesiredState } from '../../../core/ports/provider/drift';
import { ChatwootFixture } from './fixture';

/**
 * The error that an operator gets for each fault around Chatwoot. Each has its own text, which ends with the next step.
 */

let workshop: ChatwootFixture;
let server: Server | undefined;
afterEach(async () => {
  await workshop?.stop();
  await new Promise<void>(resolve => {
    if (server) server.close(() => resolve());
    else resolve();
  });
  server = undefined;
});

const enable = () => workshop.ensureAccount();
const at = (baseUrl: string) => {
  workshop.access = { ...workshop.access, baseUrl };
};
const desired = (): DesiredState => ({
  access: workshop.access,
  owners: [],
  teams: [],
  inboxes: [
    {
      inboxId: String(workshop.inbox.providerData['id']),
      chatbotId: 'bot',
      name: 'Shop bot',
      externalId: workshop.inbox.externalId,
      providerData: workshop.inbox.providerData,
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

describe('an operator is told, with what to do', () => {
  it('that the server cannot be reached', async () => {
    workshop = await ChatwootFixture.open();
    const free = await serve(() => ({ status: 200, type: 'text/plain', body: '' }));
    await new Promise(resolve => server!.close(resolve));
    server = undefined;
    at(free);
    await expect(enable()).rejects.toMatchObject(
      says('PROVIDER_UNAVAILABLE', 'cannot be reached', 'Check that it runs'),
    );
  });

  it('that no server has the name', async () => {
    workshop = await ChatwootFixture.open({}, () =>
      Promise.reject(Object.assign(new TypeError('fetch failed'), { cause: { code: 'ENOTFOUND' } })),
    );
    await expect(enable()).rejects.toMatchObject(says('PROVIDER_UNAVAILABLE', 'cannot be reached', 'Check the host'));
  });

  it('that the certificate is not trusted', async () => {
    workshop = await ChatwootFixture.open({}, () =>
      Promise.reject(Object.assign(new TypeError('fetch failed'), { cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' } })),
    );
    await expect(enable()).rejects.toMatchObject(says('PROVIDER_UNAVAILABLE', 'certificate', 'Renew it'));
  });

  it.each([
    ['a page with 200', 200],
    ['a page with 404', 404],
  ])('that the path is wrong: %s', async (_what, status) => {
    workshop = await ChatwootFixture.open();
    at(`${await serve(() => ({ status, type: 'text/html', body: '<!doctype html><title>Chatwoot</title>' }))}/app`);
    await expect(enable()).rejects.toMatchObject(says('PROVIDER_UNAVAILABLE', 'got a page', 'Check the base URL'));
  });

  it("that a proxy drops the token's header", async () => {
    workshop = await ChatwootFixture.ready();
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
      dropping.access = { ...workshop.access, baseUrl: bare };
      await expect(dropping.provider.listTeams(dropping.access, dropping.signal())).rejects.toMatchObject(
        says('PROVIDER_AUTH', 'did not receive the token', 'Let the proxy pass that header'),
      );
    } finally {
      await dropping.stop();
    }
  });

  it('that the account is suspended, by reading and by looking', async () => {
    workshop = await ChatwootFixture.ready();
    await workshop.farSide.platform('PATCH', `/accounts/${workshop.access.externalId}`, { status: 'suspended' });
    const suspended = says('PROVIDER_AUTH', 'suspended', 'Activate it');
    await expect(workshop.provider.listAgents(workshop.access, workshop.signal())).rejects.toMatchObject(suspended);
    await expect(workshop.provider.drift!.inspectDrift(desired(), workshop.signal())).rejects.toMatchObject(suspended);
    await expect(workshop.conversation()).rejects.toMatchObject(suspended);
  });

  it("that Chatwoot's own guard refuses our private address, from 4.14 on, beforehand and by what it did", async () => {
    workshop = await ChatwootFixture.open({ version: '4.14', allowPrivateNetwork: false });
    workshop.access = { ...workshop.access, webhookUrl: 'http://127.0.0.1:9/webhooks/account/secret' };
    expect((await enable()).manualSteps).toEqual([expect.stringContaining('SAFE_FETCH_ALLOW_PRIVATE_NETWORK')]);
    const made = await workshop.ensureInbox('Shop bot', undefined, '7a6a1f0e-36a5-4b4a-9d7b-0b6f5b0a9c11');
    workshop.inbox = { ...made, providerData: { ...made.providerData, id: '7a6a1f0e-36a5-4b4a-9d7b-0b6f5b0a9c11' } };
    const delivery = async () =>
      (await workshop.provider.drift!.inspectDrift(desired(), workshop.signal())).items.find(
        ({ kind }) => kind === 'WEBHOOK_DELIVERY',
      );
    expect(await delivery()).toMatchObject({ problem: null });
    await workshop.post(await workshop.conversation(), 'hello');
    await workshop.double.settled();
    const refused = {
      repairable: false,
      problem: expect.stringMatching(/private.*SAFE_FETCH_ALLOW_PRIVATE_NETWORK=true.*SUPPORT_PUBLIC_URL/),
    };
    expect(await delivery()).toMatchObject(refused);

    // The mark of the newest message was removed, because it was read all the same.
    const newer = await workshop.conversation();
    const messageId = await workshop.post(newer, 'hello again');
    await workshop.double.settled();
    await workshop.provider.reportDelivery!(
      { conversation: newer, messageId, state: 'DELIVERED', error: null },
      workshop.signal(),
    );
    expect(await delivery()).toMatchObject(refused);
    // After a message to an address that the guard does not refuse, earlier failures no longer count.
    await workshop.farSide.call('PATCH', `${workshop.account}/inboxes/${workshop.inbox.externalId}`, workshop.admin, {
      channel: { webhook_url: '' },
    });
    await workshop.post(await workshop.conversation(), 'hello once more');
    await workshop.double.settled();
    expect(await delivery()).toMatchObject({ problem: null });
  });

  it('nothing about any of it to a healthy 4.14 with a public address', async () => {
    workshop = await ChatwootFixture.open({ version: '4.14' });
    workshop.access = { ...workshop.access, webhookUrl: 'https://support.example.com/webhooks/account/secret' };
    expect((await enable()).manualSteps).toEqual([]);
  });
});

it('a proxy that drops headers with underscores does not matter: ours have none', async () => {
  workshop = await ChatwootFixture.ready({}, (url, init) =>
    fetch(url, {
      ...init!,
      headers: Object.fromEntries(
        Object.entries(init?.headers as Record<string, string>).filter(([name]) => !name.includes('_')),
      ),
    }),
  );
  const conversation = await workshop.conversation();
  await workshop.post(conversation, 'through the proxy');
  expect((await workshop.messages(conversation)).map(({ content }) => content)).toEqual(['through the proxy']);
});

it.each([
  ['3.16', '3.16.0'],
  ['4.10', '4.10.0'],
  ['4.14', '4.14.2'],
] as const)('the version of %s is found out and recorded', async (version, recorded) => {
  workshop = await ChatwootFixture.open({ version });
  expect((await enable()).settings).toMatchObject({ version: recorded });
});
