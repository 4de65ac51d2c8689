import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { WebhookRejectedError } from '../../../core/request-errors';
import { parseWebhook } from '../webhook';
import { recordings, type WebhookRecording } from './recording-files';

const ACCOUNT = {
  accountId: randomUUID(),
  externalId: '1',
  baseUrl: 'https://chatwoot.example',
  settings: { botUserId: 3 },
  credentials: { botToken: 'token' },
  webhookUrl: '',
};
const KINDS = ['conversation', 'typing', 'ignored'];

/** Returns what the receiver would do: a hint's kind, or a refusal below 500. Any other error fails the test. */
function outcomeOf(rawBody: string | Buffer, secret?: string): string {
  try {
    const hint = parseWebhook({
      account: ACCOUNT,
      headers: { 'x-chatwoot-timestamp': '1', 'x-chatwoot-signature': 'sha256=00' },
      rawBody: Buffer.from(rawBody),
      receivedAt: 0,
      ...(secret !== undefined && { inboxes: [{ externalId: '1', providerData: { webhookSecret: secret } }] }),
    });
    if (hint.kind === 'conversation')
      for (const id of [hint.conversationId, hint.changedMessageId, hint.skipIfKnownId, hint.endUser?.inboxId])
        expect(id ?? '1').toMatch(/^-?\d{1,16}$/);
    if (hint.kind === 'typing')
      for (const id of [hint.conversationId, hint.agentId]) expect(id).toMatch(/^-?\d{1,16}$/);
    return hint.kind;
  } catch (error) {
    if (error instanceof WebhookRejectedError) return error.why;
    throw error;
  }
}
const isHandled = (outcome: string) => [...KINDS, 'malformed', 'badSignature', 'stale'].includes(outcome);

/** Values that break careless readers: data named like methods, prototypes, numbers beyond all ids, and any JSON. */
const hostile = fc.oneof(
  fc.constantFrom<unknown>(
    { toString: 1 },
    { toString: null, valueOf: null },
    { valueOf: 1, toString: {} },
    { id: { toString: 1 } },
    [],
    [[]],
    [null],
    {},
    null,
    true,
    '',
    ' ',
    'constructor',
    'toString',
    '__proto__',
    1e308,
    -1,
    0.5,
    2 ** 60,
    '1'.repeat(400),
    '\u0000',
    [{ status: { current_value: { toString: 1 } } }],
    [{ status: { current_value: 'constructor' } }],
    ['status'],
    { length: 1e9 },
  ),
  fc.jsonValue({ maxDepth: 3 }),
);

/** Returns the paths of all values in a recorded webhook. */
function pathsIn(value: unknown, at: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [at];
  return [at, ...Object.entries(value).flatMap(([name, inner]) => pathsIn(inner, [...at, name]))];
}
function replaced(value: unknown, [name, ...rest]: readonly string[], by: unknown): unknown {
  if (name === undefined) return by;
  if (Array.isArray(value)) return value.map((inner, at) => (String(at) === name ? replaced(inner, rest, by) : inner));
  return { ...(value as object), [name]: replaced((value as Record<string, unknown>)[name], rest, by) };
}

const RECORDED = [...recordings<WebhookRecording>('webhooks'), ...recordings<WebhookRecording>('webhooks-4.14')].map(
  ({ file, body }) => [file, JSON.parse(body) as unknown] as const,
);

describe('a webhook of hostile JSON', () => {
  it.each<[string, unknown]>([
    ['an account whose id has a method that is data', { event: 'message_created', account: { id: { toString: 1 } } }],
    ['an account that is a list', { event: 'message_created', account: [] }],
    ['an account that is a text', { event: 'message_created', account: '1' }],
    ['no event', { event: { toString: 1 } }],
    ['a text', 'x'],
    ['null', null],
    ['a list', []],
  ])('%s is refused', (_what, body) => expect(outcomeOf(JSON.stringify(body))).toBe('malformed'));

  it.each([
    ['an inbox', { inbox: { id: { toString: 1 } } }],
    ['an inbox id', { inbox_id: { toString: 1 } }],
    ['a conversation', { conversation: { inbox_id: { toString: 1 } } }],
  ])('%s without an inbox still needs the signature', (_what, more) => {
    expect(outcomeOf(JSON.stringify({ event: 'message_created', ...more }), 'secret')).toBe('badSignature');
  });

  it('with a status that is a built-in name of the language has no status', () => {
    for (const status of ['constructor', '__proto__', 'toString'])
      expect(
        parseWebhook({
          account: ACCOUNT,
          headers: {},
          receivedAt: 0,
          rawBody: Buffer.from(JSON.stringify({ event: 'conversation_opened', id: 7, status, meta: {} })),
        }),
      ).toEqual({ kind: 'conversation', conversationId: '7' });
  });

  it('is handled whatever it is', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json({ maxDepth: 5 }),
          fc.string(),
          fc.uint8Array().map(bytes => Buffer.from(bytes)),
        ),
        body => isHandled(outcomeOf(body)),
      ),
      { numRuns: 500 },
    );
  });

  it.each(RECORDED)('is handled wherever something hostile is in %s', (_file, body) => {
    const paths = pathsIn(body);
    fc.assert(
      fc.property(fc.constantFrom(...paths), hostile, fc.constantFrom(undefined, 'secret'), (path, value, secret) =>
        isHandled(outcomeOf(JSON.stringify(replaced(body, path, value)), secret)),
      ),
      { numRuns: 200 },
    );
  });

  it('is handled when every field that is read is hostile', () => {
    const events = fc.constantFrom(
      'message_created',
      'message_updated',
      'conversation_updated',
      'conversation_opened',
      'conversation_status_changed',
      'conversation_typing_on',
      'x',
    );
    const fields = fc.record(
      {
        account: hostile,
        id: hostile,
        inbox: hostile,
        inbox_id: hostile,
        conversation: hostile,
        message_type: hostile,
        sender: hostile,
        content_attributes: hostile,
        changed_attributes: hostile,
        private: hostile,
        status: hostile,
        meta: hostile,
        user: hostile,
        is_private: hostile,
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(events, fields, fc.constantFrom(undefined, 'secret'), (event, body, secret) =>
        isHandled(outcomeOf(JSON.stringify({ event, ...body }), secret)),
      ),
      { numRuns: 2_000 },
    );
  });
});
