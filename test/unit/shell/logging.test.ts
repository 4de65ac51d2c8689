import { ProviderUnavailableError } from '../../../src/core/errors';
import { createLogger, createRoomLog, withRequestId, type Logger } from '../../../src/logging';
import { maskPath } from '../../../src/logging/mask-path';

let written: string[];
let logger: Logger;
beforeEach(() => {
  written = [];
  logger = createLogger({
    level: 'info',
    destination: {
      write: line => {
        written.push(line);
      },
    },
  });
});
const lines = () => written.map(line => JSON.parse(line) as Record<string, unknown>);

it('writes one JSON object a line, with level, time and text', () => {
  logger.info({ deliveries: 3 }, 'sent');
  logger.debug('too quiet');
  expect(lines()).toEqual([{ level: 'info', time: expect.stringMatching(/^\d{4}-.*Z$/), deliveries: 3, msg: 'sent' }]);
});

it('names the component, as components and providers log', () => {
  createRoomLog(logger, 'delivery')('warn', 'later', { attempt: 2 });
  createRoomLog(logger, 'delivery')('error', 'bare');
  expect(lines()).toEqual([
    expect.objectContaining({ level: 'warn', room: 'delivery', attempt: 2, msg: 'later' }),
    expect.objectContaining({ level: 'error', room: 'delivery', msg: 'bare' }),
  ]);
});

it('adds the request id to everything that the request starts, and to nothing else', async () => {
  const log = createRoomLog(logger, 'graphql');
  await Promise.all(
    ['a', 'b'].map(id =>
      withRequestId(id, async () => {
        await new Promise(resolve => setImmediate(resolve));
        log('info', id);
      }),
    ),
  );
  log('info', 'none');
  expect(lines().map(line => [line.msg, line.requestId])).toEqual([
    ['a', 'a'],
    ['b', 'b'],
    ['none', undefined],
  ]);
});

it.each([
  'authorization',
  'Authorization',
  'cookie',
  'x-support-gateway-secret',
  'x-support-bot-key',
  'webhookSecret',
  'webhookUrl',
  'token',
  'access_token',
  'api_access_token',
  'platformToken',
  'password',
  'apiKey',
  'api-key',
  'credentials',
  'SUPPORT_JWT_SHARED_KEY',
  'DATABASE_URL',
  'signature',
  'text',
  'body',
  'rawBody',
  'content',
  'summary',
  'email',
  'phone',
  'variables',
  'query',
  'fileName',
  'filename',
  'name',
  'names',
])('never writes what is logged under %s, at any depth', name => {
  logger.info({ [name]: 'hunter2', deep: [{ er: { [name]: { inner: 'hunter2' } } }] }, 'x');
  logger.child({ room: 'x' }).info({ [name]: ['hunter2'] }, 'x');
  expect(written).toHaveLength(2);
  expect(written.join('')).not.toContain('hunter2');
});

it('keeps harmless keys that sound similar: switches and counts', () => {
  logger.info({ tokens: 7, hasSecret: true, textLength: 12, token: null }, 'x');
  expect(lines()).toEqual([expect.objectContaining({ tokens: 7, hasSecret: true, textLength: 12, token: null })]);
});

it('writes only the size of bytes and the host of an address, and survives circular objects', () => {
  const ring: Record<string, unknown> = {};
  ring.ring = ring;
  logger.info(
    {
      file: Buffer.from('hunter2'),
      where: new URL('https://u:hunter2@h.example/hunter2?hunter2'),
      ring,
      at: new Date(0),
    },
    'x',
  );
  expect(lines()).toEqual([
    expect.objectContaining({ file: '(7 bytes)', where: 'https://h.example', at: '1970-01-01T00:00:00.000Z' }),
  ]);
  expect(written.join('')).not.toContain('hunter2');
});

describe('an error', () => {
  const parseError = () => {
    try {
      JSON.parse('hunter2 is not JSON');
    } catch (error) {
      return error;
    }
    return null;
  };

  it('is written with type, code, message, frames and causes', () => {
    logger.error(
      {
        err: new ProviderUnavailableError('The server did not answer.', {
          cause: Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }),
        }),
      },
      'failed',
    );
    expect(lines()[0]!.err).toEqual({
      type: 'ProviderUnavailableError',
      code: 'PROVIDER_UNAVAILABLE',
      message: 'The server did not answer.',
      stack: expect.stringMatching(/^at .*logging\.test\.ts/),
      cause: { type: 'Error', code: 'ECONNREFUSED', message: 'connect', stack: expect.any(String) },
    });
  });

  it("of a database driver is written without the statement's values", () => {
    const error = Object.assign(new Error('duplicate key value violates unique constraint "uq_x"'), {
      code: '23505',
      constraint: 'uq_x',
      detail: 'Key (text)=(hunter2) already exists.',
      parameters: ['hunter2'],
      query: 'insert hunter2',
      where: 'hunter2',
    });
    logger.error({ err: error }, 'failed');
    expect(lines()[0]!.err).toEqual({
      type: 'Error',
      code: '23505',
      constraint: 'uq_x',
      message: expect.stringContaining('uq_x'),
      stack: expect.any(String),
    });
  });

  it.each([
    ['that quotes what it could not parse', parseError],
    [
      'of the database that quotes what it could not take',
      () => Object.assign(new Error('invalid input syntax for type uuid: "hunter2"'), { code: '22P02' }),
    ],
    ['that quotes it in its cause', () => new Error('outer', { cause: parseError() })],
  ])('is written without %s', (_what, make) => {
    const error = make();
    logger.error({ err: error, nested: { error } }, 'failed');
    logger.error(error as object);
    logger.error({ err: error });
    expect(written.join('')).not.toContain('hunter2');
    expect(written).toHaveLength(3);
  });
});

it.each([
  ['/', '/'],
  ['/graphql?query=hunter2', '/graphql'],
  ['/webhooks/3f0c9a4e-0000-4000-8000-000000000001/hunter2', '/webhooks/3f0c9a4e-0000-4000-8000-000000000001/***'],
  [
    '/webhooks/3f0c9a4e-0000-4000-8000-000000000001/hunter2/more/hunter2?hunter2',
    '/webhooks/3f0c9a4e-0000-4000-8000-000000000001/***',
  ],
  [`/webhooks/${'hunter2'.repeat(10)}`, '/webhooks/***/***'],
  ['/webhooks', '/webhooks'],
  [`/providers/toy/files/${'hunter2'.repeat(10)}`, '/providers/toy/files/***'],
  ['/files/token/hunter2.pdf', '/files/***'],
  [`/providers/desk/files/${'t'.repeat(43)}/hunter2.pdf?x`, '/providers/desk/files/***'],
  ['/files', '/files'],
  ['', ''],
])('logs the path %s as %s', (url, expected) => {
  expect(maskPath(url)).toBe(expected);
});
