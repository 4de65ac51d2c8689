import type { IncomingHttpHeaders } from 'node:http';
import { AccessError } from '../../../src/core/request-errors';
import { createIdentify, type IdentityOptions } from '../../../src/identity/identify';
import { TIME_LIMITS } from '../../../src/time-limits';

const SECRET = 'gateway-secret-of-at-least-32-characters';
const KEY_A = 'bot-key-of-organization-a-32-characters';
const KEY_B = 'bot-key-of-organization-b-32-characters';
const NOTHING: IdentityOptions = { jwt: null, gatewaySecret: null, botKeys: [] };
const BOTH: IdentityOptions = {
  jwt: null,
  gatewaySecret: SECRET,
  botKeys: [
    { organizationId: 'org-a', key: KEY_A },
    { organizationId: 'org-a', key: `${KEY_A}-new` },
    { organizationId: 'org-b', key: KEY_B },
  ],
};

const code = async (promise: Promise<unknown>): Promise<string> => {
  const error: unknown = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof AccessError) return error.code;
  throw new Error(`no AccessError but ${String(error)}`);
};

describe('the gateway secret', () => {
  const identify = createIdentify(BOTH, TIME_LIMITS.identity);
  const asGateway = (headers: IncomingHttpHeaders) =>
    identify({ headers: { 'x-support-gateway-secret': SECRET, ...headers } });

  it('makes the identity headers trusted', async () => {
    expect(await asGateway({ 'x-organization-id': 'org-z', 'x-support-role': 'ui', 'x-user-id': 'user-7' })).toEqual({
      organizationId: 'org-z',
      role: 'ui',
      userId: 'user-7',
    });
  });

  it('identifies the gateway itself when no role is named', async () => {
    expect(await asGateway({ 'x-organization-id': 'org-z' })).toEqual({
      organizationId: 'org-z',
      role: 'gateway',
      userId: null,
    });
  });

  it.each(['', 'x', `${SECRET}x`, SECRET.slice(1), SECRET.toUpperCase()])(
    'is refused when it is wrong: %j',
    async wrong => {
      expect(
        await code(identify({ headers: { 'x-support-gateway-secret': wrong, 'x-organization-id': 'org-z' } })),
      ).toBe('UNAUTHENTICATED');
    },
  );

  it('is refused when none is configured', async () => {
    const withoutGateway = createIdentify({ ...BOTH, gatewaySecret: null }, TIME_LIMITS.identity);
    expect(
      await code(withoutGateway({ headers: { 'x-support-gateway-secret': SECRET, 'x-organization-id': 'org-z' } })),
    ).toBe('UNAUTHENTICATED');
  });

  it.each([
    ['no organization', {}],
    ['an empty organization', { 'x-organization-id': ' ' }],
    ['two organizations, as Node joins a header that was sent twice', { 'x-organization-id': 'org-evil, org-z' }],
    ['a control character', { 'x-organization-id': 'org\u0000z' }],
    ['an endless organization', { 'x-organization-id': 'o'.repeat(201) }],
    ['an unknown role', { 'x-organization-id': 'org-z', 'x-support-role': 'root' }],
    ['a role that every object has', { 'x-organization-id': 'org-z', 'x-support-role': 'constructor' }],
    ['two users', { 'x-organization-id': 'org-z', 'x-user-id': 'a,b' }],
  ])('does not accept %s', async (_what, headers) => {
    expect(await code(asGateway(headers))).toBe('FORBIDDEN');
  });
});

describe('identity headers without a secret', () => {
  it('are ignored', async () => {
    expect(
      await code(
        createIdentify(
          BOTH,
          TIME_LIMITS.identity,
        )({ headers: { 'x-organization-id': 'org-a', 'x-support-role': 'operator' } }),
      ),
    ).toBe('UNAUTHENTICATED');
  });
});

describe('a bot key', () => {
  const identify = createIdentify(BOTH, TIME_LIMITS.identity);

  it.each([
    ['x-support-bot-key', { 'x-support-bot-key': KEY_A }, 'org-a'],
    ['a second key of the same organization', { 'x-support-bot-key': `${KEY_A}-new` }, 'org-a'],
    ['a bearer token', { authorization: `Bearer ${KEY_B}` }, 'org-b'],
    ['a bearer token in small letters', { authorization: `bearer   ${KEY_B}` }, 'org-b'],
  ])('identifies the bot of its organization: %s', async (_how, headers, organizationId) => {
    expect(await identify({ headers })).toEqual({ organizationId, role: 'bot', userId: null });
  });

  it('cannot be combined with identity headers to become another caller', async () => {
    expect(
      await identify({
        headers: {
          'x-support-bot-key': KEY_A,
          'x-organization-id': 'org-b',
          'x-support-role': 'operator',
          'x-user-id': 'u',
        },
      }),
    ).toEqual({ organizationId: 'org-a', role: 'bot', userId: null });
  });

  it.each([
    ['unknown', { 'x-support-bot-key': `${KEY_A}x` }],
    ['empty', { 'x-support-bot-key': '' }],
    ['the pair and not the key', { 'x-support-bot-key': `org-a=${KEY_A}` }],
    ['the gateway secret', { 'x-support-bot-key': SECRET }],
    ['an unknown bearer token', { authorization: 'Bearer nobody' }],
    ['basic authorization', { authorization: `Basic ${KEY_A}` }],
    ['no scheme', { authorization: KEY_A }],
    ['two tokens', { authorization: `Bearer ${KEY_A} ${KEY_B}` }],
    ['no proof at all', {}],
  ])('is refused when it is %s', async (_what, headers) => {
    expect(await code(identify({ headers }))).toBe('UNAUTHENTICATED');
  });

  it('is refused as a gateway secret', async () => {
    expect(await code(identify({ headers: { 'x-support-gateway-secret': KEY_A, 'x-organization-id': 'org-a' } }))).toBe(
      'UNAUTHENTICATED',
    );
  });
});

describe('two proofs in one call', () => {
  const identify = createIdentify(BOTH, TIME_LIMITS.identity);

  it("the gateway secret wins over a bot key and a token of the end-user's call", async () => {
    expect(
      await identify({
        headers: {
          'x-support-gateway-secret': SECRET,
          'x-organization-id': 'org-z',
          'x-support-bot-key': KEY_A,
          authorization: `Bearer ${KEY_B}`,
        },
      }),
    ).toEqual({ organizationId: 'org-z', role: 'gateway', userId: null });
  });

  it('a wrong gateway secret is refused despite a valid key', async () => {
    expect(
      await code(identify({ headers: { 'x-support-gateway-secret': 'wrong', authorization: `Bearer ${KEY_A}` } })),
    ).toBe('UNAUTHENTICATED');
  });

  it('a wrong bot key is refused despite a valid bearer token', async () => {
    expect(await code(identify({ headers: { 'x-support-bot-key': 'wrong', authorization: `Bearer ${KEY_A}` } }))).toBe(
      'UNAUTHENTICATED',
    );
  });
});

describe('connection_init', () => {
  const identify = createIdentify(BOTH, TIME_LIMITS.identity);

  it.each([
    [{ authorization: `Bearer ${KEY_A}` }],
    [{ Authorization: `Bearer ${KEY_A}` }],
    [{ 'X-Support-Bot-Key': KEY_A }],
    [{ AUTHORIZATION: `Bearer ${KEY_A}`, other: { a: 1 } }],
  ])('accepts the same names in any case: %j', async connectionParams => {
    expect(await identify({ headers: {}, connectionParams })).toEqual({
      organizationId: 'org-a',
      role: 'bot',
      userId: null,
    });
  });

  it('falls back to the headers of the upgrade when the payload has no proof', async () => {
    for (const connectionParams of [null, undefined, {}, { other: 1 }])
      expect(await identify({ headers: { authorization: `Bearer ${KEY_A}` }, connectionParams })).toMatchObject({
        organizationId: 'org-a',
      });
  });

  it('cannot combine the secret of the upgrade with its own organization', async () => {
    const headers = { 'x-support-gateway-secret': SECRET, 'x-organization-id': 'org-a', 'x-support-role': 'ui' };
    expect(
      await identify({ headers, connectionParams: { 'x-organization-id': 'org-b', 'x-support-role': 'operator' } }),
    ).toEqual({ organizationId: 'org-a', role: 'ui', userId: null });
  });

  it('cannot combine the organization of the upgrade with its own secret', async () => {
    expect(
      await code(
        identify({
          headers: { 'x-organization-id': 'org-a' },
          connectionParams: { 'x-support-gateway-secret': SECRET },
        }),
      ),
    ).toBe('FORBIDDEN');
  });

  it.each([
    [{ authorization: 5 }],
    [{ authorization: [`Bearer ${KEY_A}`] }],
    [{ 'x-support-bot-key': KEY_A, 'X-Support-Bot-Key': KEY_B }],
  ])('is refused when a proof is not a single string: %j', async connectionParams => {
    expect(await code(identify({ headers: {}, connectionParams }))).toBe('UNAUTHENTICATED');
  });
});

it('never quotes a proof in an error', async () => {
  const identify = createIdentify(BOTH, TIME_LIMITS.identity);
  for (const headers of [
    { authorization: 'Bearer hunter2' },
    { 'x-support-bot-key': 'hunter2' },
    { 'x-support-gateway-secret': 'hunter2' },
    { authorization: 'hunter2' },
  ])
    await expect(identify({ headers })).rejects.not.toMatchObject({ message: expect.stringContaining('hunter2') });
});

describe('with no identity settings', () => {
  const identify = createIdentify(NOTHING, TIME_LIMITS.identity);
  const local = { host: 'localhost:4000' };

  it('identifies the operator of the example organization', async () => {
    expect(await identify({ headers: local })).toEqual({
      organizationId: 'org-example',
      role: 'operator',
      userId: null,
    });
  });

  it('trusts identity headers, and those of connection_init first', async () => {
    const headers = { ...local, 'x-organization-id': 'org-b', 'x-support-role': 'bot', 'x-user-id': 'u' };
    expect(await identify({ headers })).toEqual({ organizationId: 'org-b', role: 'bot', userId: 'u' });
    expect(await identify({ headers, connectionParams: { 'X-Organization-Id': 'org-c' } })).toEqual({
      organizationId: 'org-c',
      role: 'operator',
      userId: null,
    });
  });

  it.each(['localhost', 'localhost:4000', 'LOCALHOST:1', '127.0.0.1:4000', '127.1.2.3', '[::1]:4000'])(
    'accepts the Host %s',
    async host => {
      expect(await identify({ headers: { host } })).toMatchObject({ organizationId: 'org-example' });
    },
  );

  it.each([
    'evil.example',
    'evil.example:4000',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    '10.0.0.1',
    '0.0.0.0:4000',
    '',
    'a b',
  ])('refuses the Host %j, which foreign DNS may point to this service', async host => {
    expect(await code(identify({ headers: { host } }))).toBe('FORBIDDEN');
  });

  it('refuses a request without Host', async () => {
    expect(await code(identify({ headers: {} }))).toBe('FORBIDDEN');
  });

  it.each(['127.0.0.1', '::1', '::ffff:127.0.0.1', undefined])('accepts the peer %s', async remoteAddress => {
    expect(await identify({ headers: local, remoteAddress })).toMatchObject({ organizationId: 'org-example' });
  });

  it.each(['10.0.0.1', '192.168.1.5', '::ffff:10.0.0.1', 'fe80::1'])('refuses the peer %s', async remoteAddress => {
    expect(await code(identify({ headers: local, remoteAddress }))).toBe('FORBIDDEN');
  });

  it.each(['http://localhost:4000', 'http://127.0.0.1:3000', 'http://[::1]:4000'])(
    'accepts a page of this machine: %s',
    async origin => {
      expect(await identify({ headers: { ...local, origin } })).toMatchObject({ organizationId: 'org-example' });
    },
  );

  it.each(['https://evil.example', 'http://localhost.evil.example', 'null', '', 'file://'])(
    'refuses a page of another origin: %j',
    async origin => {
      expect(await code(identify({ headers: { ...local, origin } }))).toBe('FORBIDDEN');
    },
  );

  it('refuses what another site embeds, and allows a person to follow its link', async () => {
    expect(
      await code(identify({ headers: { ...local, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' } })),
    ).toBe('FORBIDDEN');
    expect(
      await identify({ headers: { ...local, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' } }),
    ).toMatchObject({ organizationId: 'org-example' });
    expect(
      await identify({ headers: { ...local, 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' } }),
    ).toMatchObject({ organizationId: 'org-example' });
  });

  it.each(['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'])(
    'refuses proxied requests: %s',
    async name => {
      expect(await code(identify({ headers: { ...local, [name]: 'for=203.0.113.7' } }))).toBe('FORBIDDEN');
    },
  );

  it('ignores proofs, because none is configured', async () => {
    expect(await identify({ headers: { ...local, authorization: 'Bearer anything' } })).toMatchObject({
      organizationId: 'org-example',
    });
  });
});
