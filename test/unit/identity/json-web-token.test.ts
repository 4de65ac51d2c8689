import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT, type JWK, type KeyLike } from 'jose';
import { AccessError } from '../../../src/core/request-errors';
import { createIdentify, IdentityUnavailableError, type Identify } from '../../../src/identity/identify';
import { startEndless } from '../../../src/testing/endless-server';
import { TIME_LIMITS } from '../../../src/time-limits';
import { eventually } from '../../support/until';

const SHARED = 'shared-key-of-at-least-32-characters!';
const KEY = new TextEncoder().encode(SHARED);
const CLAIMS = { org: 'org-a', role: 'ui', sub: 'user-7', iss: 'https://login.example/', aud: 'support' };
const withoutBots = { gatewaySecret: null, botKeys: [] };

const sign = (
  claims: Record<string, unknown>,
  key: KeyLike | Uint8Array = KEY,
  header: { alg: string; kid?: string } = { alg: 'HS256' },
) => {
  const token = new SignJWT(claims).setProtectedHeader(header).setIssuedAt();
  return ('exp' in claims ? token : token.setExpirationTime('5 minutes')).sign(key);
};
const bearer = (identify: Identify, token: string) => identify({ headers: { authorization: `Bearer ${token}` } });
const code = async (promise: Promise<unknown>): Promise<string> => {
  const error: unknown = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof AccessError) return error.code;
  throw new Error(`no AccessError but ${String(error)}`);
};

describe('a token signed with the shared key', () => {
  const identify = createIdentify(
    { ...withoutBots, jwt: { jwksUrl: null, sharedKey: SHARED, issuer: CLAIMS.iss, audience: CLAIMS.aud } },
    TIME_LIMITS.identity,
  );

  it('identifies the caller', async () => {
    expect(await bearer(identify, await sign(CLAIMS))).toEqual({
      organizationId: 'org-a',
      role: 'ui',
      userId: 'user-7',
    });
  });

  it('may name the organization as organization_id, and no user', async () => {
    const { org, sub: _sub, ...rest } = CLAIMS;
    expect(await bearer(identify, await sign({ ...rest, organization_id: org }))).toEqual({
      organizationId: 'org-a',
      role: 'ui',
      userId: null,
    });
  });

  it('may come in connection_init', async () => {
    expect(
      await identify({ headers: {}, connectionParams: { Authorization: `Bearer ${await sign(CLAIMS)}` } }),
    ).toMatchObject({ userId: 'user-7' });
  });

  it('ignores identity headers', async () => {
    const headers = {
      authorization: `Bearer ${await sign(CLAIMS)}`,
      'x-organization-id': 'org-b',
      'x-support-role': 'operator',
    };
    expect(await identify({ headers })).toMatchObject({ organizationId: 'org-a', role: 'ui' });
  });

  const now = Math.floor(Date.now() / 1_000);
  it.each([
    ['expired', { exp: now - 60 }],
    ['not valid yet', { nbf: now + 600 }],
    ['of another issuer', { iss: 'https://evil.example/' }],
    ['for another audience', { aud: 'billing' }],
    ['with a time that is no number', { exp: 'tomorrow' }],
  ])('is refused when it is %s', async (_what, claims) => {
    expect(await code(bearer(identify, await sign({ ...CLAIMS, ...claims })))).toBe('UNAUTHENTICATED');
  });

  it('is refused without an expiry', async () => {
    const endless = await new SignJWT(CLAIMS).setProtectedHeader({ alg: 'HS256' }).sign(KEY);
    expect(await code(bearer(identify, endless))).toBe('UNAUTHENTICATED');
  });

  it('is refused without issuer or audience when those are checked', async () => {
    const { iss: _iss, ...withoutIssuer } = CLAIMS;
    const { aud: _aud, ...withoutAudience } = CLAIMS;
    expect(await code(bearer(identify, await sign(withoutIssuer)))).toBe('UNAUTHENTICATED');
    expect(await code(bearer(identify, await sign(withoutAudience)))).toBe('UNAUTHENTICATED');
  });

  it.each([
    ['no organization', { org: undefined }],
    ['two organizations', { organization_id: 'org-b' }],
    ['an organization that is a list', { org: ['org-a'] }],
    ['an empty organization', { org: '' }],
    ['no role', { role: undefined }],
    ['an unknown role', { role: 'root' }],
    ['a list of roles', { role: ['ui'] }],
  ])('is refused when it names %s', async (_what, claims) => {
    expect(await code(bearer(identify, await sign({ ...CLAIMS, ...claims })))).toBe('FORBIDDEN');
  });

  it('is refused when it was signed with another key', async () => {
    expect(await code(bearer(identify, await sign(CLAIMS, new TextEncoder().encode(`${SHARED}x`))))).toBe(
      'UNAUTHENTICATED',
    );
  });

  it('is refused when it is unsigned', async () => {
    const unsigned = new UnsecuredJWT(CLAIMS).setExpirationTime('5 minutes').encode();
    expect(await code(bearer(identify, unsigned))).toBe('UNAUTHENTICATED');
  });

  it.each(['HS384', 'HS512'])('is refused with an algorithm other than the pinned one: %s', async alg => {
    expect(await code(bearer(identify, await sign(CLAIMS, new TextEncoder().encode(SHARED.repeat(2)), { alg })))).toBe(
      'UNAUTHENTICATED',
    );
  });

  it('is refused when its payload was changed', async () => {
    const [header, , signature] = (await sign(CLAIMS)).split('.');
    const payload = Buffer.from(JSON.stringify({ ...CLAIMS, org: 'org-b', exp: now + 300 })).toString('base64url');
    expect(await code(bearer(identify, `${header}.${payload}.${signature}`))).toBe('UNAUTHENTICATED');
  });

  it.each(['a.b.c', 'x', '..', 'eyJhbGciOiJIUzI1NiJ9..'])('is refused when it is not a token: %s', async token => {
    expect(await code(bearer(identify, token))).toBe('UNAUTHENTICATED');
  });

  it('works beside bot keys in the same header', async () => {
    const both = createIdentify(
      {
        jwt: { jwksUrl: null, sharedKey: SHARED, issuer: null, audience: null },
        gatewaySecret: null,
        botKeys: [{ organizationId: 'org-b', key: 'k'.repeat(32) }],
      },
      TIME_LIMITS.identity,
    );
    expect(await bearer(both, 'k'.repeat(32))).toMatchObject({ organizationId: 'org-b', role: 'bot' });
    expect(await bearer(both, await sign(CLAIMS))).toMatchObject({ organizationId: 'org-a', role: 'ui' });
    expect(await code(both({ headers: { 'x-support-bot-key': await sign(CLAIMS) } }))).toBe('UNAUTHENTICATED');
  });
});

describe('a token signed with a key of a key set', () => {
  let server: Server;
  let url: string;
  let keys: JWK[] = [];
  let answer: 'keys' | 'error' | 'nonsense' = 'keys';
  let fetches = 0;
  let rsa: { privateKey: KeyLike; publicKey: KeyLike };
  let other: { privateKey: KeyLike; publicKey: KeyLike };

  beforeAll(async () => {
    [rsa, other] = await Promise.all([generateKeyPair('RS256'), generateKeyPair('ES256')]);
    server = createServer((_request, response) => {
      fetches += 1;
      if (answer === 'error') response.writeHead(500).end();
      else
        response
          .writeHead(200, { 'content-type': 'application/json' })
          .end(answer === 'nonsense' ? '{"keys":' : JSON.stringify({ keys }));
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
  });
  afterAll(
    () =>
      new Promise(resolve => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  );
  beforeEach(async () => {
    keys = [{ ...(await exportJWK(rsa.publicKey)), kid: 'one', alg: 'RS256' }];
    answer = 'keys';
    fetches = 0;
  });
  const withKeySet = () =>
    createIdentify(
      { ...withoutBots, jwt: { jwksUrl: url, sharedKey: null, issuer: null, audience: null } },
      TIME_LIMITS.identity,
    );

  it('identifies the caller, and the keys are fetched once', async () => {
    const identify = withKeySet();
    const token = await sign(CLAIMS, rsa.privateKey, { alg: 'RS256', kid: 'one' });
    await Promise.all([bearer(identify, token), bearer(identify, token)]);
    expect(await bearer(identify, token)).toEqual({ organizationId: 'org-a', role: 'ui', userId: 'user-7' });
    expect(fetches).toBe(1);
  });

  it('is refused when the key is not in the set', async () => {
    expect(await code(bearer(withKeySet(), await sign(CLAIMS, other.privateKey, { alg: 'ES256', kid: 'two' })))).toBe(
      'UNAUTHENTICATED',
    );
  });

  it('is refused when another key signed under a known key id', async () => {
    const stranger = await generateKeyPair('RS256');
    expect(
      await code(bearer(withKeySet(), await sign(CLAIMS, stranger.privateKey, { alg: 'RS256', kid: 'one' }))),
    ).toBe('UNAUTHENTICATED');
  });

  it('is refused when the public key was used as a shared key, and no key is fetched for it', async () => {
    const confused = await sign(CLAIMS, new TextEncoder().encode(JSON.stringify(keys[0])), {
      alg: 'HS256',
      kid: 'one',
    });
    expect(await code(bearer(withKeySet(), confused))).toBe('UNAUTHENTICATED');
    expect(fetches).toBe(0);
  });

  it.each(['error', 'nonsense'] as const)(
    'cannot be checked while the key set responds with %s, and can be soon after',
    async fault => {
      const identify = withKeySet();
      const token = await sign(CLAIMS, rsa.privateKey, { alg: 'RS256', kid: 'one' });
      answer = fault;
      await expect(bearer(identify, token)).rejects.toBeInstanceOf(IdentityUnavailableError);
      answer = 'keys';
      expect(await eventually(() => bearer(identify, token))).toMatchObject({ organizationId: 'org-a' });
    },
  );

  it.each(['flood', 'trickle', 'bomb'] as const)('cannot be checked while the key set never ends: %s', async how => {
    const server = await startEndless(200, how);
    const identify = createIdentify(
      { ...withoutBots, jwt: { jwksUrl: server.url, sharedKey: null, issuer: null, audience: null } },
      { keySetMs: how === 'trickle' ? 50 : 280_000 },
    );
    await expect(
      bearer(identify, await sign(CLAIMS, rsa.privateKey, { alg: 'RS256', kid: 'one' })),
    ).rejects.toBeInstanceOf(IdentityUnavailableError);
    await server.cut();
    expect(server.sent()).toBeLessThan(32 * 1024 * 1024);
    await server.close();
  });

  it('cannot be checked while the key set is unreachable', async () => {
    const identify = createIdentify(
      { ...withoutBots, jwt: { jwksUrl: 'http://127.0.0.1:1/keys', sharedKey: null, issuer: null, audience: null } },
      TIME_LIMITS.identity,
    );
    await expect(
      bearer(identify, await sign(CLAIMS, rsa.privateKey, { alg: 'RS256', kid: 'one' })),
    ).rejects.toBeInstanceOf(IdentityUnavailableError);
  });
});
