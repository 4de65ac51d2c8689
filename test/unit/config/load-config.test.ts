import { ConfigError, isReachableFrom, loadConfig, publicUrlOf } from '../../../src/config';

const KEY = 'k'.repeat(32);
const SECRET_KEY = Buffer.alloc(32, 7).toString('base64');

function problemsOf(env: Record<string, string>) {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  throw new Error('these settings were taken');
}
const keysOf = (env: Record<string, string>) => problemsOf(env).map(problem => problem.key);

describe('with no settings', () => {
  it('serves loopback only, keeps data in a folder, sets up the example organization, and logs that it serves loopback only', () => {
    const config = loadConfig({});
    expect(config).toMatchObject({
      host: '127.0.0.1',
      port: 4000,
      databaseUrl: null,
      secretKey: null,
      hasIdentity: false,
      example: true,
      logLevel: 'info',
    });
    expect(config.dataDir).toBe(`${process.cwd()}/data`);
    expect(config.notices).toHaveLength(1);
    expect(config.notices[0]).toContain('only programs on this machine');
  });

  it('uses the defaults that docs/settings.md names', () => {
    expect(loadConfig({})).toMatchObject({
      poolSize: 16,
      stopGraceMs: 3_000,
      maxOperations: 256,
      maxSockets: 10_000,
      drainLimitMs: 30_000,
      liveScanIntervalMs: 20_000,
      checkIntervalMs: 900_000,
      providerTimeoutMs: 10_000,
      push: { timeoutMs: 15_000, disableAfterMs: 5 * 86_400_000 },
      allowedPrivate: { all: true, hosts: [], networks: [] },
      fullScanIntervalMs: 300_000,
      leaseMs: 10_000,
      bodyLimits: { graphqlBytes: 1_048_576, webhookBytes: 4_194_304, providerBytes: 8_388_608 },
      keepDays: { events: 365, messages: 365, deliveries: 30, idempotencyKeys: 7, sessions: 365 },
      media: {
        folder: `${process.cwd()}/data/media`,
        s3: null,
        retentionMs: null,
        limits: {
          fromAgents: { maxBytes: 104_857_600, refusedTypes: expect.arrayContaining(['.exe']) },
          toAgents: { maxBytes: 41_943_040, refusedTypes: [] },
        },
      },
    });
  });

  it('ignores environment variables of other programs', () => {
    expect(loadConfig({ PATH: '/bin', SUPPORTED: 'x', PORTABLE: '1' })).toEqual(loadConfig({}));
  });
});

it('allows calls to private networks only while callers need no proof of identity, or as far as the setting allows', () => {
  expect(
    [
      {},
      { SUPPORT_ALLOW_PRIVATE_ADDRESSES: 'none' },
      { SUPPORT_GATEWAY_SECRET: KEY },
      { SUPPORT_GATEWAY_SECRET: KEY, SUPPORT_ALLOW_PRIVATE_ADDRESSES: 'all' },
    ].map(env => loadConfig(env).allowedPrivate.all),
  ).toEqual([true, false, false, true]);
  expect(
    loadConfig({ SUPPORT_ALLOW_PRIVATE_ADDRESSES: 'Chatwoot.internal, 10.20.0.0/16,fd00::/8,192.168.1.7,::1' })
      .allowedPrivate,
  ).toEqual({
    all: false,
    hosts: ['chatwoot.internal'],
    networks: ['10.20.0.0/16', 'fd00::/8', '192.168.1.7/32', '::1/128'],
  });
  for (const wrong of [
    '10.20.0.0/33',
    '10.20',
    'http://chatwoot',
    'chatwoot:3000',
    'a,,b',
    'all,chatwoot',
    'a b',
    '*.internal',
  ])
    expect(() => loadConfig({ SUPPORT_ALLOW_PRIVATE_ADDRESSES: wrong })).toThrow('SUPPORT_ALLOW_PRIVATE_ADDRESSES');
});

it('returns a configuration that is frozen at every depth', () => {
  const config = loadConfig({ SUPPORT_BOT_KEYS: `org-a=${KEY}` });
  expect(() => Object.assign(config, { port: 1 })).toThrow(TypeError);
  expect(() => Object.assign(config.bodyLimits, { webhookBytes: 1 })).toThrow(TypeError);
  expect(() => Object.assign(config.identity.botKeys[0]!, { organizationId: 'x' })).toThrow(TypeError);
});

it('accepts only whole days for retention, and at least seven for idempotency keys', () => {
  expect(
    loadConfig({ SUPPORT_KEEP_MESSAGES_DAYS: '30', SUPPORT_KEEP_IDEMPOTENCY_KEYS_DAYS: '14' }).keepDays,
  ).toMatchObject({ messages: 30, idempotencyKeys: 14 });
  expect(
    keysOf({
      SUPPORT_KEEP_IDEMPOTENCY_KEYS_DAYS: '6',
      SUPPORT_KEEP_EVENTS_DAYS: '0',
      SUPPORT_KEEP_SESSIONS_DAYS: 'never',
    }).sort(),
  ).toEqual(['SUPPORT_KEEP_EVENTS_DAYS', 'SUPPORT_KEEP_IDEMPOTENCY_KEYS_DAYS', 'SUPPORT_KEEP_SESSIONS_DAYS']);
});

it('accepts valid values', () => {
  const config = loadConfig({
    HOST: '0.0.0.0',
    PORT: '8080',
    DATABASE_URL: 'postgresql://u:p%5E@db/support?sslmode=require',
    SUPPORT_SECRET_KEY: SECRET_KEY,
    SUPPORT_PUBLIC_URL: 'https://support.example.com/base/',
    SUPPORT_GATEWAY_SECRET: KEY,
    SUPPORT_BOT_KEYS: `org-a=${KEY}=, org-a=${KEY}2,org-b=${KEY}3`,
    SUPPORT_JWT_JWKS_URL: 'https://login.example.com/keys',
    SUPPORT_JWT_ISSUER: 'https://login.example.com/',
    SUPPORT_JWT_AUDIENCE: 'support',
    SUPPORT_EXAMPLE: 'on',
    SUPPORT_DRAIN_LIMIT_SECONDS: '5',
    LOG_LEVEL: 'debug',
  });
  expect(config).toMatchObject({
    host: '0.0.0.0',
    port: 8080,
    databaseUrl: 'postgresql://u:p%5E@db/support?sslmode=require',
    secretKey: SECRET_KEY,
    publicUrl: 'https://support.example.com/base',
    hasIdentity: true,
    example: true,
    drainLimitMs: 5_000,
    logLevel: 'debug',
    notices: [],
  });
  expect(config.identity).toEqual({
    jwt: {
      jwksUrl: 'https://login.example.com/keys',
      sharedKey: null,
      issuer: 'https://login.example.com/',
      audience: 'support',
    },
    gatewaySecret: KEY,
    botKeys: [
      { organizationId: 'org-a', key: `${KEY}=` },
      { organizationId: 'org-a', key: `${KEY}2` },
      { organizationId: 'org-b', key: `${KEY}3` },
    ],
  });
});

it('reports every problem at once: key, given value, expected value, example', () => {
  const problems = problemsOf({
    PORT: 'forty',
    DATABASE_URL: 'mysql://root:hunter2@db/x',
    SUPPORT_PUBLIC_URL: 'support.example.com',
    SUPPORT_GATEWAY_SECRET: 'short-hunter2',
    SUPPORT_POOL_SIZ: '3',
    LOG_LEVEL: 'loud',
  });
  expect(problems.map(problem => problem.key).sort()).toEqual([
    'DATABASE_URL',
    'LOG_LEVEL',
    'PORT',
    'SUPPORT_GATEWAY_SECRET',
    'SUPPORT_POOL_SIZ',
    'SUPPORT_PUBLIC_URL',
    'SUPPORT_SECRET_KEY',
  ]);
  for (const problem of problems) {
    expect(problem.expected).not.toBe('');
    expect(problem.example).not.toBe('');
  }
  expect(problems.find(problem => problem.key === 'PORT')).toMatchObject({ given: 'forty', example: 'PORT=4000' });
  expect(problems.find(problem => problem.key === 'SUPPORT_SECRET_KEY')).toMatchObject({ given: '(nothing)' });
  const { message } = new ConfigError(problems);
  for (const problem of problems)
    for (const part of [problem.key, problem.given, problem.expected, problem.example]) expect(message).toContain(part);
});

describe('the given value in a problem', () => {
  it.each([
    ['DATABASE_URL', 'mysql://u:hunter2@db/x'],
    ['SUPPORT_SECRET_KEY', 'hunter2'],
    ['SUPPORT_JWT_SHARED_KEY', 'hunter2'],
    ['SUPPORT_GATEWAY_SECRET', 'hunter2'],
    ['SUPPORT_BOT_KEYS', 'org-a=hunter2'],
    ['SUPPORT_GATEWAY_SECRETT', 'hunter2'],
    ['SUPPORT_PUBLIC_URL', 'https://u:hunter2@support.example.com'],
    ['SUPPORT_JWT_JWKS_URL', 'https://u:hunter2@login.example.com/keys'],
  ])('is (hidden) when it may be a secret: %s', (key, value) => {
    const problems = problemsOf({ [key]: value });
    expect(problems.find(problem => problem.key === key)?.given).toBe('(hidden)');
    expect(JSON.stringify(problems)).not.toContain('hunter2');
  });

  it('is shortened and printed without control characters, so that it cannot break a terminal', () => {
    const [problem] = problemsOf({ PORT: `\u001b[31m${'9'.repeat(500)}` });
    expect(problem!.given).toMatch(/^\?\[31m9+…$/);
    expect(problem!.given.length).toBeLessThan(130);
  });
});

describe.each([
  ['PORT', ['65536', '-1', '1.5', '4e3', '0x10']],
  ['HOST', ['not a host', 'http://127.0.0.1', '127.0.0.1:4000', 'a..b']],
  ['SUPPORT_PUBLIC_URL', ['ftp://x', 'https://x/?a=1', 'https://x/#a', '/path']],
  ['DATABASE_URL', ['postgres', 'postgres://db', 'http://db/x']],
  [
    'SUPPORT_SECRET_KEY',
    ['abc', Buffer.alloc(31).toString('base64'), Buffer.alloc(33).toString('base64'), 'f'.repeat(63), ''],
  ],
  ['SUPPORT_JWT_SHARED_KEY', ['k'.repeat(31), `${KEY} ${KEY}`, '']],
  ['SUPPORT_GATEWAY_SECRET', ['k'.repeat(31), '']],
  [
    'SUPPORT_BOT_KEYS',
    ['', 'org-a', `=${KEY}`, `org-a=${'k'.repeat(31)}`, `org-a=${KEY},`, `org-a=${KEY},org-b=${KEY}`, `org a=${KEY}`],
  ],
  ['SUPPORT_JWT_JWKS_URL', ['http://login.example.com/keys', 'login.example.com']],
  ['SUPPORT_EXAMPLE', ['true', '1', 'ON']],
  ['SUPPORT_POOL_SIZE', ['3', '401', 'ten']],
  ['SUPPORT_STOP_GRACE_SECONDS', ['-1', '11']],
  ['SUPPORT_MAX_OPERATIONS', ['0', 'many']],
  ['SUPPORT_MAX_SOCKETS', ['0', '1.5']],
  ['SUPPORT_DRAIN_LIMIT_SECONDS', ['0', '3601', '30s']],
  ['SUPPORT_LIVE_SCAN_INTERVAL_SECONDS', ['0', '20.5']],
  ['SUPPORT_PROVIDER_TIMEOUT_MS', ['99', '120001']],
  ['SUPPORT_FULL_SCAN_INTERVAL_SECONDS', ['0', '3601']],
  ['SUPPORT_LEASE_SECONDS', ['0', '1', '301']],
  ['SUPPORT_GRAPHQL_BODY_LIMIT_BYTES', ['262143', '1MB']],
  ['SUPPORT_WEBHOOK_BODY_LIMIT_BYTES', ['65535']],
  ['SUPPORT_PROVIDER_BODY_LIMIT_BYTES', ['100000001']],
  ['SUPPORT_MEDIA_DAYS', ['0', '36501', '1d']],
  ['SUPPORT_MEDIA_MAX_BYTES_FROM_AGENTS', ['1023', '5000000001', '5MB']],
  ['SUPPORT_MEDIA_MAX_BYTES_TO_AGENTS', ['1023', '5000000001', '5MB']],
  ['SUPPORT_MEDIA_REFUSED_TYPES', ['exe', '*', '.exe,', 'none,.exe', 'image', '*/*']],
  ['LOG_LEVEL', ['verbose', 'INFO']],
])('%s', (key, wrong) => {
  it.each(wrong)('refuses %j', value => {
    const base: Record<string, string> = key === 'DATABASE_URL' ? { SUPPORT_SECRET_KEY: SECRET_KEY } : {};
    expect(keysOf({ ...base, [key]: value })).toEqual([key]);
  });
});

describe('an empty value', () => {
  it('counts as absent', () => {
    expect(loadConfig({ PORT: '', SUPPORT_JWT_ISSUER: '  ' })).toEqual(loadConfig({}));
  });

  it('is a problem for DATABASE_URL, as for every secret: it became empty by mistake', () => {
    expect(keysOf({ DATABASE_URL: '', SUPPORT_SECRET_KEY: SECRET_KEY })).toEqual(['DATABASE_URL']);
  });
});

describe('settings that contradict each other', () => {
  it('refuses a public host without an identity setting', () => {
    const [problem, ...rest] = problemsOf({ HOST: '0.0.0.0' });
    expect(rest).toEqual([]);
    expect(problem).toMatchObject({ key: 'HOST', given: '0.0.0.0' });
    for (const key of ['SUPPORT_JWT_JWKS_URL', 'SUPPORT_JWT_SHARED_KEY', 'SUPPORT_GATEWAY_SECRET', 'SUPPORT_BOT_KEYS'])
      expect(problem!.expected).toContain(key);
  });

  it.each(['127.0.0.1', '127.9.8.7', '::1', 'localhost', 'LOCALHOST'])('but %s needs none', host => {
    expect(loadConfig({ HOST: host }).hasIdentity).toBe(false);
  });

  it.each([
    '0.0.0.0',
    '::',
    '10.0.0.1',
    'support.internal',
    '128.0.0.1',
    'localhost.example.com',
    '127.0.0.1.example.com',
  ])('and %s does', host => {
    expect(keysOf({ HOST: host })).toEqual(['HOST']);
    expect(loadConfig({ HOST: host, SUPPORT_GATEWAY_SECRET: KEY }).host).toBe(host);
  });

  it('refuses both ways to check a token at once', () => {
    expect(keysOf({ SUPPORT_JWT_JWKS_URL: 'https://a.example/keys', SUPPORT_JWT_SHARED_KEY: KEY })).toEqual([
      'SUPPORT_JWT_SHARED_KEY',
    ]);
  });

  it('refuses an issuer or an audience without a key that checks tokens', () => {
    expect(keysOf({ SUPPORT_JWT_ISSUER: 'x', SUPPORT_JWT_AUDIENCE: 'y', SUPPORT_GATEWAY_SECRET: KEY })).toEqual([
      'SUPPORT_JWT_ISSUER',
      'SUPPORT_JWT_AUDIENCE',
    ]);
  });

  it('refuses an external database without an encryption key', () => {
    expect(keysOf({ DATABASE_URL: 'postgres://db/support' })).toEqual(['SUPPORT_SECRET_KEY']);
  });
});

describe('a bucket for files', () => {
  const bucket = { SUPPORT_S3_BUCKET: 'files', SUPPORT_S3_REGION: 'eu-central-1' };
  const pair = { SUPPORT_S3_ACCESS_KEY_ID: 'key-1', SUPPORT_S3_SECRET_ACCESS_KEY: 'hunter2-hunter2' };

  it('requires a region; endpoint, prefix and key are optional', () => {
    expect(loadConfig(bucket).media.s3).toEqual({
      bucket: 'files',
      region: 'eu-central-1',
      endpoint: null,
      prefix: 'support/',
      credentials: null,
    });
    expect(
      loadConfig({ ...bucket, ...pair, SUPPORT_S3_ENDPOINT: 'http://minio:9000/', SUPPORT_S3_PREFIX: 'a/b/' }).media.s3,
    ).toEqual({
      bucket: 'files',
      region: 'eu-central-1',
      endpoint: 'http://minio:9000',
      prefix: 'a/b/',
      credentials: { accessKeyId: 'key-1', secretAccessKey: 'hunter2-hunter2' },
    });
  });

  it.each([
    [{ SUPPORT_S3_BUCKET: 'files' }, ['SUPPORT_S3_REGION']],
    [{ SUPPORT_S3_REGION: 'eu-central-1' }, ['SUPPORT_S3_BUCKET']],
    [{ SUPPORT_S3_ENDPOINT: 'http://minio:9000' }, ['SUPPORT_S3_BUCKET']],
    [{ ...bucket, SUPPORT_S3_ACCESS_KEY_ID: 'key-1' }, ['SUPPORT_S3_SECRET_ACCESS_KEY']],
    [{ ...bucket, SUPPORT_S3_SECRET_ACCESS_KEY: 'hunter2-hunter2' }, ['SUPPORT_S3_ACCESS_KEY_ID']],
    [
      { SUPPORT_S3_ACCESS_KEY_ID: 'key-1', SUPPORT_S3_PREFIX: 'x/' },
      ['SUPPORT_S3_SECRET_ACCESS_KEY', 'SUPPORT_S3_BUCKET'],
    ],
    [
      {
        ...bucket,
        SUPPORT_S3_BUCKET: '-x',
        SUPPORT_S3_ENDPOINT: 'minio',
        SUPPORT_S3_PREFIX: '/',
        SUPPORT_S3_SECRET_ACCESS_KEY: '',
      },
      [
        'SUPPORT_S3_BUCKET',
        'SUPPORT_S3_ENDPOINT',
        'SUPPORT_S3_PREFIX',
        'SUPPORT_S3_SECRET_ACCESS_KEY',
        'SUPPORT_S3_ACCESS_KEY_ID',
      ],
    ],
  ])('reports all missing or invalid settings at once: %j', (env, keys) => {
    expect(keysOf(env as Record<string, string>)).toEqual(keys);
    expect(JSON.stringify(problemsOf(env as Record<string, string>))).not.toContain('hunter2');
  });

  it.each(['x', '/a/', 'a', 'a//b/', 'a b/'])('refuses the prefix %j', prefix => {
    expect(keysOf({ ...bucket, SUPPORT_S3_PREFIX: prefix })).toEqual(['SUPPORT_S3_PREFIX']);
  });

  it('makes the data folder unused, and logs that', () => {
    expect(loadConfig({ ...bucket, SUPPORT_MEDIA_DIR: '/files' }).notices.join()).toContain('SUPPORT_MEDIA_DIR');
  });
});

it('allows every file type when none is refused', () => {
  expect(loadConfig({ SUPPORT_MEDIA_REFUSED_TYPES: 'none', SUPPORT_MEDIA_DAYS: '2' }).media).toMatchObject({
    retentionMs: 172_800_000,
    limits: { fromAgents: { refusedTypes: [] } },
  });
  expect(loadConfig({ SUPPORT_MEDIA_REFUSED_TYPES: '.APK, Video/*' }).media.limits.fromAgents.refusedTypes).toEqual([
    '.apk',
    'video/*',
  ]);
});

describe('an unknown key with our prefix', () => {
  it.each([
    ['SUPPORT_DRAIN_LIMIT', 'SUPPORT_DRAIN_LIMIT_SECONDS'],
    ['SUPPORT_GATEWAY_SECERT', 'SUPPORT_GATEWAY_SECRET'],
    ['SUPPORT_BOTKEYS', 'SUPPORT_BOT_KEYS'],
    ['SUPPORT_DATABASE_URL', 'DATABASE_URL'],
    ['SUPPORT_PORT', 'PORT'],
    ['SUPPORT_LOG_LEVEL', 'LOG_LEVEL'],
  ])('is a problem that names the nearest known key: %s', (key, nearest) => {
    const [problem, ...rest] = problemsOf({ [key]: '4000' });
    expect(rest).toEqual([]);
    expect(problem).toMatchObject({ key });
    expect(problem!.expected).toContain(`did you mean ${nearest}?`);
    expect(problem!.example).toMatch(new RegExp(`^${nearest}=`));
  });

  it('is a problem that says when no known key is similar', () => {
    const [problem] = problemsOf({ SUPPORT_QUANTUM_FLUX: 'x' });
    expect(problem!.expected).not.toContain('did you mean');
    expect(problem!.example).toBe('unset SUPPORT_QUANTUM_FLUX');
  });

  it('is accepted when Kubernetes created it for a Service named support or support-subgraph', () => {
    const links = {
      SUPPORT_SERVICE_HOST: '10.0.0.7',
      SUPPORT_SERVICE_PORT: '4000',
      SUPPORT_SERVICE_PORT_HTTP: '4000',
      SUPPORT_PORT: 'tcp://10.0.0.7:4000',
      SUPPORT_PORT_4000_TCP: 'tcp://10.0.0.7:4000',
      SUPPORT_PORT_4000_TCP_PROTO: 'tcp',
      SUPPORT_PORT_4000_TCP_PORT: '4000',
      SUPPORT_PORT_4000_TCP_ADDR: '10.0.0.7',
      SUPPORT_SUBGRAPH_SERVICE_HOST: '10.0.0.7',
      SUPPORT_SUBGRAPH_PORT: 'tcp://10.0.0.7:4000',
    };
    expect(loadConfig(links)).toEqual(loadConfig({}));
  });
});

describe('the example organization', () => {
  it.each([
    [{}, true],
    [{ SUPPORT_GATEWAY_SECRET: KEY }, false],
    [{ DATABASE_URL: 'postgres://db/support', SUPPORT_SECRET_KEY: SECRET_KEY }, false],
    [{ SUPPORT_GATEWAY_SECRET: KEY, SUPPORT_EXAMPLE: 'on' }, true],
    [{ SUPPORT_EXAMPLE: 'off' }, false],
  ])('is set up with %j: %s', (env, expected) => {
    expect(loadConfig(env).example).toBe(expected);
  });
});

describe('the public address for providers', () => {
  it.each([
    [{}, 'http://127.0.0.1:4000'],
    [{ HOST: '::1', PORT: '80' }, 'http://[::1]:80'],
    [{ HOST: '0.0.0.0', SUPPORT_GATEWAY_SECRET: KEY }, 'http://127.0.0.1:4000'],
    [{ SUPPORT_PUBLIC_URL: 'https://s.example/x/' }, 'https://s.example/x'],
  ])('with %j is %s', (env, expected) => {
    expect(publicUrlOf(loadConfig(env))).toBe(expected);
  });

  it.each<[object, string, boolean]>([
    [{}, 'http://localhost:3000', true],
    [{}, 'http://chatwoot.localhost:3000', true],
    [{}, 'https://chatwoot.example.com', false],
    [{}, 'http://192.168.1.7:3000', false],
    [{ HOST: '0.0.0.0', SUPPORT_GATEWAY_SECRET: KEY }, 'http://chatwoot:3000', false],
    [{ HOST: '192.168.1.6', SUPPORT_GATEWAY_SECRET: KEY }, 'http://192.168.1.7:3000', true],
    [{ SUPPORT_PUBLIC_URL: 'http://127.0.0.1:4000' }, 'https://chatwoot.example.com', true],
  ])('with %j is one for a provider at %s: %s', (env, baseUrl, expected) => {
    expect(isReachableFrom(loadConfig(env as Record<string, string>), baseUrl)).toBe(expected);
  });

  it('contains the port that the server actually bound', () => {
    expect(publicUrlOf(loadConfig({ PORT: '0' }), 51_000)).toBe('http://127.0.0.1:51000');
  });
});

describe('notices', () => {
  it('warn that tokens for other services are accepted when no audience is set', () => {
    const keySet = { SUPPORT_JWT_JWKS_URL: 'https://a.example/keys' };
    expect(loadConfig(keySet).notices.join()).toContain('SUPPORT_JWT_AUDIENCE');
    expect(loadConfig({ ...keySet, SUPPORT_JWT_AUDIENCE: 'support' }).notices).toEqual([]);
  });

  it('warn that the data folder is unused', () => {
    const config = loadConfig({
      DATABASE_URL: 'postgres://db/support',
      SUPPORT_SECRET_KEY: SECRET_KEY,
      SUPPORT_DATA_DIR: '/data',
      SUPPORT_GATEWAY_SECRET: KEY,
    });
    expect(config.notices.join()).toContain('SUPPORT_DATA_DIR');
  });
});

it.each([
  ['hex', Buffer.alloc(32, 0xfb).toString('hex')],
  ['base64', Buffer.alloc(32, 0xfb).toString('base64')],
  ['base64url', Buffer.alloc(32, 0xfb).toString('base64url')],
])('reads the same key from %s', (_name, written) => {
  expect(loadConfig({ SUPPORT_SECRET_KEY: written }).secretKey).toBe(Buffer.alloc(32, 0xfb).toString('base64'));
});
