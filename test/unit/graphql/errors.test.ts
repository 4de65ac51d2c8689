import { readFileSync } from 'node:fs';
import { GraphQLError, parse } from 'graphql';
import {
  ControlLostError,
  HandoffTransitionRefusedError,
  InProgressError,
  NotFoundError,
  OutcomeUnknownError,
  ProviderAuthError,
  ProviderDamagedError,
  ProviderUnavailableError,
  SupportDisabledError,
  UnsupportedByProviderError,
} from '../../../src/core/errors';
import { FileRefusedError, MediaStoreError } from '../../../src/core/file-errors';
import { toPublicError, TOP_LEVEL_CODES, USER_ERROR_CODES, toUserError } from '../../../src/graphql/operation/errors';

const silent = (): void => undefined;
const shown = (error: unknown) => {
  const { message, extensions } = toPublicError(error, 'request-1', silent);
  return { message, ...extensions };
};

describe('docs/errors.md', () => {
  const text = readFileSync('docs/errors.md', 'utf8');
  const rowsOf = (heading: string): string[] => {
    const section = text.split(`## ${heading}`)[1]!.split('\n## ')[0]!;
    return [...section.matchAll(/^\| `([A-Z_]+)` \| (\S.*?) \| (\S.*?) \| (\S.*?) \|$/gm)].map(row => row[1]!);
  };

  it('has exactly one complete row for every code of userErrors', () => {
    expect(rowsOf('`userErrors`').sort()).toEqual(Object.keys(USER_ERROR_CODES).sort());
  });

  it('has exactly one complete row for every code that only deliveries and file links have', () => {
    const ofFiles = ['FILE_MISSING', 'FILE_TOO_LARGE', 'FILE_TYPE_REFUSED'] as const;
    const codes = [
      ...ofFiles.map(code => new FileRefusedError(code, '')),
      new MediaStoreError(''),
      new SupportDisabledError(''),
      new OutcomeUnknownError(''),
      new ProviderDamagedError(''),
    ].map(({ code }) => code);
    expect(rowsOf("Codes of dead letters, and what a file's link answers")).toEqual(expect.arrayContaining(codes));
  });

  it('has exactly one complete row for every code of a top-level error', () => {
    expect(rowsOf('Top-level errors').sort()).toEqual(Object.keys(TOP_LEVEL_CODES).sort());
  });
});

describe('an error that the caller can act on', () => {
  it('becomes an entry with code, field and message', () => {
    expect(toUserError(new NotFoundError('SESSION_NOT_FOUND', 'sessionId', 'There is none.'))).toEqual({
      code: 'SESSION_NOT_FOUND',
      field: 'sessionId',
      message: 'There is none.',
      control: null,
      epoch: null,
      retryAfterMs: null,
    });
  });

  it('contains control and epoch when control was lost', () => {
    expect(toUserError(new ControlLostError('HUMAN', 7))).toMatchObject({
      code: 'CONTROL_LOST',
      field: 'epoch',
      control: 'HUMAN',
      epoch: 7,
    });
  });

  it('says when to retry while the first call is still running', () => {
    expect(toUserError(new InProgressError('Still under way.', 1_000))).toMatchObject({
      code: 'IDEMPOTENCY_IN_PROGRESS',
      field: 'idempotencyKey',
      retryAfterMs: 1_000,
    });
  });

  it.each([new HandoffTransitionRefusedError('ENDED', 'ASSIGNED'), new UnsupportedByProviderError('No teams there.')])(
    'has a code of the enum: %p',
    error => {
      expect(Object.keys(USER_ERROR_CODES)).toContain(toUserError(error).code);
    },
  );

  it('is the only kind of error that becomes an entry', () => {
    const error = new ProviderAuthError('The token was revoked.');
    expect(() => toUserError(error)).toThrow(error);
  });
});

describe('a top-level error', () => {
  it('hides details of an unexpected error, and logs it under the same request id', () => {
    const logged: unknown[] = [];
    const cause = new Error('duplicate key: Key (email)=(jane@example.org)');
    const error = toPublicError(
      new GraphQLError(cause.message, { originalError: cause, path: ['handoff', 'id'] }),
      'request-1',
      fields => logged.push(fields),
    );
    expect(error.toJSON()).toEqual({
      message: 'Internal error',
      path: ['handoff', 'id'],
      extensions: { code: 'INTERNAL_SERVER_ERROR', requestId: 'request-1', retryable: false },
    });
    expect(logged).toEqual([{ requestId: 'request-1', field: 'handoff.id', err: cause }]);
  });

  it('hides a value that a scalar refused', () => {
    const refused = new GraphQLError('DateTime cannot represent: hunter2');
    expect(shown(new GraphQLError(refused.message, { originalError: refused, path: ['at'] }))).toMatchObject({
      message: 'Internal error',
      code: 'INTERNAL_SERVER_ERROR',
    });
  });

  it.each([
    [Object.assign(new Error('x'), { code: '57P01' }), true],
    [Object.assign(new Error('x'), { code: '25006' }), true],
    [Object.assign(new Error('x'), { code: 'ECONNREFUSED' }), true],
    [Object.assign(new Error('x'), { code: '23505' }), false],
    [new TypeError('x'), false],
  ])('says whether the same call may succeed later: %p', (cause, retryable) => {
    expect(shown(cause)).toMatchObject({ code: 'INTERNAL_SERVER_ERROR', retryable });
  });

  it.each(['57014', '55P03', '40P01', '40001'])(
    'says when to retry after the database was too busy, and logs the reason: %s',
    code => {
      const logged: unknown[] = [];
      const cause = Object.assign(new Error('canceling statement; Key (email)=(jane@example.org)'), { code });
      const error = toPublicError(
        new GraphQLError(cause.message, { originalError: cause, path: ['handoff', 'id'] }),
        'request-1',
        (...all) => logged.push(all),
      );
      expect(error.toJSON()).toEqual({
        message:
          'The database was too busy to finish this call. Send the same call again in 1000 ms, with the same idempotency key.',
        path: ['handoff', 'id'],
        extensions: { code: 'OVERLOADED', requestId: 'request-1', retryable: true, retryAfterMs: 1_000 },
      });
      expect(logged).toEqual([
        [
          { requestId: 'request-1', field: 'handoff.id', err: cause },
          'the database was too busy for an operation',
          'warn',
        ],
      ]);
    },
  );

  it('shows messages that were written for callers', () => {
    expect(shown(new ProviderUnavailableError('The provider answered 503.'))).toEqual({
      message: 'The provider answered 503.',
      code: 'PROVIDER_UNAVAILABLE',
      requestId: 'request-1',
      retryable: true,
    });
  });

  it('keeps graphql-js messages about the document and its variables', () => {
    const variable = new GraphQLError('Variable "$id" of required type "ID!" was not provided.', {
      nodes: parse('{ a }').definitions,
    });
    expect(shown(variable)).toMatchObject({ code: 'BAD_USER_INPUT', message: variable.message });
    expect(shown(new GraphQLError('Syntax Error', { extensions: { code: 'GRAPHQL_PARSE_FAILED' } }))).toMatchObject({
      code: 'GRAPHQL_PARSE_FAILED',
    });
  });

  it('names a limit as such, whatever code Apollo gave it', () => {
    expect(
      shown(new GraphQLError('too deep', { extensions: { limit: 'depth', code: 'GRAPHQL_VALIDATION_FAILED' } })),
    ).toMatchObject({ code: 'OPERATION_TOO_LARGE' });
  });
});
