import { isDatabaseBusy } from '../../../src/database-errors';
import { responseForError } from '../../../src/server/errors';

const withCode = (code: string) => Object.assign(new Error('from the driver'), { code });

it.each(['57014', '55P03', '40P01', '40001'])(
  '%s means that the database was too busy: the server responds 503 with Retry-After',
  code => {
    expect(isDatabaseBusy(withCode(code))).toBe(true);
    const { status, headers, body } = responseForError(withCode(code));
    expect([status, headers?.['retry-after']]).toEqual([503, '1']);
    expect(JSON.parse(String(body))).toMatchObject({ error: { code: 'OVERLOADED', retryAfterMs: 1_000 } });
  },
);

it.each([
  withCode('57P01'),
  withCode('23505'),
  withCode('ECONNREFUSED'),
  new DOMException('over', 'AbortError'),
  new DOMException('over', 'TimeoutError'),
  new Error('x'),
  '57014',
  null,
  undefined,
])('other errors do not: %p', error => {
  expect(isDatabaseBusy(error)).toBe(false);
  expect(responseForError(error).status).toBe(500);
});
