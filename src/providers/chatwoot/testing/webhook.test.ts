import { createHmac, randomUUID } from 'node:crypto';
import type { WebhookHint, WebhookRequest } from '../../../core/ports/provider/webhook';
import { parseWebhook } from '../webhook';
import { decemberRecordings, firstRecordings, type WebhookRecording } from './recording-files';

type Inboxes = NonNullable<WebhookRequest['inboxes']>;

const BOT = 3;
const ACCOUNT = {
  accountId: randomUUID(),
  externalId: '1',
  baseUrl: 'https://chatwoot.example',
  settings: { botUserId: BOT },
  credentials: { botToken: 'token' },
  webhookUrl: '',
};
const plain = firstRecordings<WebhookRecording>('webhooks');
const signed = firstRecordings<WebhookRecording>('webhooks-4.14');

const requestOf = (
  { headers, body }: Pick<WebhookRecording, 'headers' | 'body'>,
  more: Partial<WebhookRequest> = {},
): WebhookRequest => ({
  account: ACCOUNT,
  headers,
  rawBody: Buffer.from(body),
  receivedAt: Number(headers['x-chatwoot-timestamp'] ?? 0) * 1000 + 1500,
  ...more,
});
const inboxWith = (secret: unknown, externalId = '1'): Inboxes => [
  { externalId, providerData: { webhookSecret: secret } },
];
const rejection = (request: WebhookRequest): unknown => {
  try {
    return parseWebhook(request);
  } catch (error) {
    return (error as { why: string }).why;
  }
};

/** A message requires one call, a change of the conversation two. */
const words = (file: string) =>
  /(^|\.)message_/.test(file)
    ? { about: 'MESSAGES' }
    : file.includes('agent_bot_assigned')
      ? {}
      : { stateHint: expect.any(Object) };

describe('recorded webhooks', () => {
  const looksAt = (conversationId: string): WebhookHint => ({ kind: 'conversation', conversationId });
  /** The conversation's number by the file's name; null if no sync is needed. */
  const expected: [RegExp, string | null][] = [
    [/^contact_|typing_.*\.contact|private_note|status_read|updated\.(custom_attributes|labels|waiting_since)/, null],
    [/^agent_bot\.|bot_handoff/, '23'],
    [/csat/, '30'],
    [/greeting/, '65'],
    [/out_of_office/, '66'],
    [/url_|delivery_failed/, '45'],
    [/reopened/, '25'],
    [/./, '1'],
  ];

  it('are the 50 and the 12', () => {
    expect([plain.length, signed.length]).toEqual([50, 12]);
  });

  it.each(plain.map(recording => [recording.file, recording] as const))('%s', (file, recording) => {
    const id = expected.find(([pattern]) => pattern.test(file))?.[1] ?? null;
    // A message that may have been read before is named, so that it is read again.
    const changed = /message_updated\.(csat_answer|deleted|delivery_failed|status_failed)/.test(file)
      ? { changedMessageId: expect.stringMatching(/^\d+$/) }
      : // Any other update of a message that was read before is nothing new.
        /message_updated/.test(file)
        ? { skipIfKnownId: expect.stringMatching(/^\d+$/) }
        : {};
    const typing = /typing_(on|off)\.agent/.exec(file);
    if (typing)
      return expect(parseWebhook(requestOf(recording))).toEqual({
        kind: 'typing',
        conversationId: '1',
        agentId: '4',
        isTyping: typing[1] === 'on',
      });
    // A public message of a person, in a conversation whose contact inbox has an id of the form of ours.
    const said = /message_created\.(agent_|url_)/.test(file)
      ? { endUser: { inboxId: expect.stringMatching(/^[14]$/), sessionId: expect.stringMatching(/^[0-9a-f-]{36}$/) } }
      : {};
    expect(parseWebhook(requestOf(recording))).toEqual(
      id === null
        ? { kind: 'ignored', reason: expect.any(String) }
        : { ...looksAt(id), ...changed, ...words(file), ...said },
    );
  });

  const ALL = { agentId: null, teamId: null };
  it.each<[string, object]>([
    ['conversation_updated.assigned.inbox', { agentId: '5' }],
    ['conversation_updated.unassigned.inbox', { agentId: null, teamId: '1' }],
    ['conversation_updated.team_assigned.inbox', { teamId: '1' }],
    ['conversation_updated.bot_handoff.inbox', { status: 'OPEN' }],
    ['conversation_updated.resolved.inbox', { status: 'RESOLVED' }],
    ['conversation_status_changed.snoozed.inbox', { status: 'ON_HOLD', ...ALL }],
    ['conversation_status_changed.pending.inbox', { status: 'BOT_HELD', ...ALL }],
    ['conversation_status_changed.reopened.inbox', { status: 'OPEN', ...ALL, agentId: '4' }],
    ['conversation_created.inbox', { status: 'OPEN', ...ALL }],
    // Assigned to a bot: the event does not say who is still assigned.
    ['conversation_updated.agent_bot_assigned.inbox', {}],
  ])('%s shows the changed state, and no more', (name, shown) => {
    const hint = parseWebhook(requestOf(plain.find(({ file }) => file === name)!));
    expect('stateHint' in hint ? hint.stateHint : {}).toEqual(shown);
  });

  it.each(signed.map(recording => [recording.file, recording] as const))('signed: %s', (file, recording) => {
    const request = requestOf(recording, { inboxes: inboxWith(recording.secret) });
    const isNoise = file.startsWith('conversation_updated.agent_bot');
    expect(parseWebhook(request)).toEqual(
      isNoise ? { kind: 'ignored', reason: expect.any(String) } : { ...looksAt('2'), ...words(file) },
    );
    const altered = Buffer.from(request.rawBody);
    altered[altered.length - 2] = (altered[altered.length - 2] ?? 0) ^ 1;
    expect(['badSignature', 'malformed']).toContain(rejection({ ...request, rawBody: altered }));
  });
});

/** The hint by the file's name; null if no sync is needed. */
const OF_DECEMBER: readonly (readonly [RegExp, Partial<Extract<WebhookHint, { kind: 'conversation' }>> | null])[] = [
  [/automation_event|contact_updated|labels_|custom_attributes|message_created\.automation_autoteam/, null],
  [/message_updated/, { about: 'MESSAGES', changedMessageId: expect.stringMatching(/^\d+$/) }],
  [/message_created\.(attachment|macro)/, { about: 'MESSAGES', endUser: expect.any(Object) }],
  [/message_created/, { about: 'MESSAGES' }],
  [/./, { stateHint: expect.any(Object) }],
];

describe('webhooks recorded in December', () => {
  it.each(decemberRecordings<WebhookRecording>('webhooks').map(recording => [recording.file, recording] as const))(
    '%s',
    (file, recording) => {
      const body = JSON.parse(recording.body);
      const accountId = (body.account?.id ?? 35) as number;
      const hint = parseWebhook(
        requestOf(recording, { account: { ...ACCOUNT, externalId: String(accountId), settings: { botUserId: 156 } } }),
      );
      const expected = OF_DECEMBER.find(([pattern]) => pattern.test(file))![1];
      if (expected === null || (/message_updated\.deleted/.test(file) && body.private))
        return expect(hint).toEqual({ kind: 'ignored', reason: expect.any(String) });
      expect(hint).toEqual({
        kind: 'conversation',
        conversationId: String(body.conversation?.id ?? body.id),
        ...expected,
      });
    },
  );

  it("include from 4.14.2 on the account of a conversation: another account's is ignored", () => {
    const about = decemberRecordings<WebhookRecording>('webhooks').filter(({ file }) =>
      /4\.14 conversation_/.test(file),
    );
    expect(about.length).toBeGreaterThan(5);
    for (const recording of about)
      expect(parseWebhook(requestOf(recording, { account: { ...ACCOUNT, externalId: '999' } }))).toEqual({
        kind: 'ignored',
        reason: 'of another account',
      });
  });
});

describe('signatures', () => {
  const recording = signed.find(({ file }) => file.startsWith('message_created.inbox')) as WebhookRecording;
  const hint = { kind: 'conversation', conversationId: '2', about: 'MESSAGES' };

  it.each<[string, Partial<WebhookRequest>, unknown]>([
    ["signed with the inbox's secret", { inboxes: inboxWith(recording.secret) }, hint],
    ['unsigned although the secret is known', { inboxes: inboxWith(recording.secret), headers: {} }, 'badSignature'],
    ['signed with another secret', { inboxes: inboxWith('another secret') }, 'badSignature'],
    ['signed, and no secret is known (set up on 4.10)', { inboxes: inboxWith(null) }, hint],
    ['of an inbox that we do not have', { inboxes: inboxWith('another secret', '9') }, 'badSignature'],
    [
      'of an inbox without a secret beside one with',
      { inboxes: [...inboxWith(null), ...inboxWith('another secret', '9')] },
      hint,
    ],
    [
      'of an inbox with a secret beside one without',
      { inboxes: [...inboxWith('another secret'), ...inboxWith(null, '9')] },
      'badSignature',
    ],
    [
      "signed with a neighbour's secret",
      { inboxes: [...inboxWith('another secret'), ...inboxWith(recording.secret, '9')] },
      'badSignature',
    ],
    [
      'a second time, six minutes later',
      {
        inboxes: inboxWith(recording.secret),
        receivedAt: (Number(recording.headers['x-chatwoot-timestamp']) + 360) * 1000,
      },
      'stale',
    ],
    [
      'from a clock six minutes ahead',
      {
        inboxes: inboxWith(recording.secret),
        receivedAt: (Number(recording.headers['x-chatwoot-timestamp']) - 360) * 1000,
      },
      'stale',
    ],
    [
      'four minutes late',
      {
        inboxes: inboxWith(recording.secret),
        receivedAt: (Number(recording.headers['x-chatwoot-timestamp']) + 240) * 1000,
      },
      hint,
    ],
    [
      'with another time than was signed',
      { inboxes: inboxWith(recording.secret), headers: { ...recording.headers, 'x-chatwoot-timestamp': '1795383029' } },
      'badSignature',
    ],
    [
      'with a signature of another length',
      { inboxes: inboxWith(recording.secret), headers: { ...recording.headers, 'x-chatwoot-signature': 'sha256=ab' } },
      'badSignature',
    ],
  ])('%s', (_what, more, outcome) => {
    expect(rejection(requestOf(recording, more))).toEqual(outcome);
  });

  it('over an empty timestamp is stale, not accepted', () => {
    const body = Buffer.from('{"event":"contact_created"}');
    const headers = {
      'x-chatwoot-signature': `sha256=${createHmac('sha256', 's').update('.').update(body).digest('hex')}`,
    };
    expect(rejection({ account: ACCOUNT, headers, rawBody: body, receivedAt: 0, inboxes: inboxWith('s') })).toBe(
      'stale',
    );
  });
});

describe('the content of a webhook', () => {
  const hintOf = (body: object) =>
    rejection({ account: ACCOUNT, headers: {}, rawBody: Buffer.from(JSON.stringify(body)), receivedAt: 0 });

  it.each<[string, object, unknown]>([
    [
      'our own post',
      { event: 'message_created', conversation: { id: 5 }, content_attributes: { support_message_id: 'x' } },
      expect.objectContaining({ kind: 'ignored' }),
    ],
    [
      'an agent who types',
      { event: 'conversation_typing_on', user: { id: 4, type: 'user' }, conversation: { id: 5 }, is_private: false },
      { kind: 'typing', conversationId: '5', agentId: '4', isTyping: true },
    ],
    [
      'an agent who types a note',
      { event: 'conversation_typing_on', user: { id: 4, type: 'user' }, conversation: { id: 5 }, is_private: true },
      expect.objectContaining({ kind: 'ignored' }),
    ],
    [
      'typing that does not say for whom',
      { event: 'conversation_typing_on', user: { id: 4, type: 'user' }, conversation: { id: 5 } },
      expect.objectContaining({ kind: 'ignored' }),
    ],
    [
      'BotAgent1 who types',
      { event: 'conversation_typing_on', user: { id: BOT, type: 'user' }, conversation: { id: 5 }, is_private: false },
      expect.objectContaining({ kind: 'ignored' }),
    ],
    [
      'an end-user who types',
      { event: 'conversation_typing_on', user: { id: 4, identifier: 'x' }, conversation: { id: 5 }, is_private: false },
      expect.objectContaining({ kind: 'ignored' }),
    ],
    [
      'typing without a conversation',
      { event: 'conversation_typing_on', user: { id: 4, type: 'user' }, is_private: false },
      'malformed',
    ],
    [
      'a note',
      { event: 'message_created', id: 7, private: true, conversation: { id: 5 } },
      expect.objectContaining({ kind: 'ignored' }),
    ],
    ...[
      { private: false, content_attributes: { support_message_id: 'x', external_error: '503' } },
      { private: true, content_attributes: { external_error: '503' } },
    ].map((message): [string, object, unknown] => [
      `${message.private ? 'a note' : 'our own post'} that turned red`,
      { event: 'message_updated', id: 7, conversation: { id: 5 }, ...message },
      { kind: 'conversation', conversationId: '5', about: 'MESSAGES', changedMessageId: '7' },
    ]),
    [
      'a message that is delivered or read',
      { event: 'message_updated', id: 7, private: false, conversation: { id: 5 }, content_attributes: {} },
      { kind: 'conversation', conversationId: '5', about: 'MESSAGES', skipIfKnownId: '7' },
    ],
    ['an event to come', { event: 'conversation_merged', id: 5 }, expect.objectContaining({ kind: 'ignored' })],
    ['an event with a strange name', { event: 'x'.repeat(1000) }, { kind: 'ignored', reason: 'an unknown event' }],
    [
      'another account',
      { event: 'message_created', account: { id: 2 }, conversation: { id: 5 } },
      expect.objectContaining({ kind: 'ignored' }),
    ],
    [
      'an update without its changes',
      { event: 'conversation_updated', id: 5, changed_attributes: null },
      { kind: 'conversation', conversationId: '5' },
    ],
    [
      'an update of the team',
      { event: 'conversation_updated', id: 5, changed_attributes: [{ team_id: {} }] },
      { kind: 'conversation', conversationId: '5' },
    ],
    ['a message without a conversation', { event: 'message_created' }, 'malformed'],
    ['a conversation whose id is no number', { event: 'conversation_created', id: '../../1' }, 'malformed'],
    ['no event', { id: 5 }, 'malformed'],
    ['an event that is no text', { event: 5 }, 'malformed'],
  ])('%s', (_what, body, outcome) => {
    expect(hintOf(body)).toEqual(outcome);
  });

  it('never trusts a message that is nested in another event', () => {
    const nested = plain.find(({ file }) => file === 'agent_bot.conversation_resolved') as WebhookRecording;
    expect(JSON.stringify(parseWebhook(requestOf(nested)))).not.toContain('alice');
  });
});
