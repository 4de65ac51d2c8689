import { createTimeLimit } from '../../../core/time-limit';
import {
  AddressRefusedError,
  ProviderAuthError,
  ProviderDamagedError,
  ProviderRefusedError,
  ProviderUnavailableError,
} from '../../../core/errors';
import { ChatwootClient, type ApiCall } from '../client';
import { recordings, type RestRecording } from './recording-files';

const TOKEN = 'tok3n-that-must-not-leak';

/** The expected outcome of every recorded refusal. A recording that is missing here fails. */
const OUTCOMES: Record<string, readonly string[]> = {
  auth: [
    'agent_bots.create.agent',
    'agents.create.agent',
    'auth.bad_token',
    'auth.bearer',
    'auth.no_token',
    'auth.not_a_member',
    'auth.platform_token',
    'auth.removed_from_account',
    'auth.rotated_token',
    'auth.sign_in.sso_reused',
    'auth.sign_in.wrong_password',
    'auth.suspended_account',
    'conversations.create.foreign_source',
    'conversations.get.assignee_not_in_inbox',
    'demoted.assignments',
    'demoted.conversations.create',
    'demoted.inboxes.create',
    'demoted.messages.create',
    'demoted.toggle_status',
    'inbox_members.create.agent',
    'inboxes.create.agent',
    'inboxes.get.agent_not_member',
    'platform.account.create.bad_token',
    'platform.account.create.no_token',
    'platform.account.get.other_app',
    'platform.user.get.other_app',
    'platform.user.get.user_token',
    'teams.create.agent',
    'webhooks.list.agent',
  ],
  gone: [
    'agents.delete.missing',
    'auth.account_missing',
    'contacts.get.missing',
    'conversations.create.empty',
    'conversations.create.inbox_deleted',
    'conversations.create.unknown_source',
    'conversations.get.missing',
    'inbox_members.create.missing_inbox',
    'inboxes.get.missing',
    'inboxes.get.other_account',
    'messages.create.inbox_deleted',
    'messages.create.missing_conversation',
    'messages.delete.missing',
    'platform.account.get.missing',
    'public.contacts.get.missing',
    'public.inbox.get.missing',
    'public.messages.create.foreign_conversation',
    'teams.get.missing',
  ],
  refused: [
    'agents.create.bad_email',
    'agents.create.same_email',
    'contacts.create.bad_email',
    'contacts.create.bad_phone',
    'contacts.create.same_email',
    'contacts.create.same_identifier',
    'conversations.filter.bad',
    'conversations.filter.undefined_attribute',
    'conversations.transcript.no_email',
    'inbox_members.create.unknown_user',
    'inboxes.create.bad_type',
    'inboxes.create.no_name',
    'labels.create.again',
    'messages.create.attachment_string',
    'messages.create.attachment_url',
    'messages.create.bad_content_type',
    'messages.create.bad_type',
    'messages.create.cards_invalid',
    'messages.create.nul_byte',
    'platform.account.create.no_name',
    'platform.account_user.create.no_user',
    'platform.user.create.bad_email',
    'platform.user.create.no_email',
    'platform.user.create.no_password',
    'platform.user.create.weak_password',
    'public.messages.create.too_long',
    'team_members.create.foreign_user',
    'teams.create.no_name',
    'teams.create.same_name',
    'webhooks.create.bad_url',
    'webhooks.create.same_url',
    'webhooks.create.unknown_event',
  ],
  // Stored or not: only a lookup can tell.
  'unavailable, delivered unknown': [
    'contact_inboxes.create.source_taken',
    'conversations.create.bad_status',
    'conversations.toggle_priority.bad',
    'conversations.toggle_status.bad',
    'outage.postgres_down.contacts.create',
    'outage.postgres_down.messages.create',
    'outage.postgres_down.toggle_status',
    'outage.redis_down.contacts.create',
    'outage.redis_down.messages.create',
    'platform.account_user.create.bad_role',
    'public.contacts.create.hmac_missing',
    'public.contacts.create.hmac_wrong',
  ],
  'unavailable, delivered no': ['outage.postgres_down.conversations.list', 'outage.redis_down.conversations.list'],
  'unavailable, delivered no, asked for 20000 ms': [
    'messages.create.too_many',
    'rate_limit.contact_search',
    'rate_limit.sign_in',
  ],
};

/** The recordings of December, on 4.10 and 4.14.2 (marked [both] in the contract). */
const OF_BOTH: Record<string, readonly string[]> = {
  'unavailable, delivered unknown': [
    'agents.create.bad_role',
    'agents.create.no_name',
    'bot_token.patch.conversation',
    'bot_token.patch.team',
    'bot_token.team_set.conversations.create',
    'bot_token.team_set.conversations.create_locked',
    'bot_token.team_set.patch.conversation',
    'contacts.create.attrs_nul',
    'contacts.create.identifier_blank_again',
    'contacts.create.identifier_nul',
    'contacts.create.name_nul',
    'contacts.create.source_taken',
    'conversations.toggle_priority.none_word',
    'platform.user.create.name_nul',
  ],
  auth: [
    'agents.create.by_agent',
    'agents.create.by_bot',
    'auth.account_deleted.bot',
    'bot_token.delete.conversation',
    'bot_token.get.attachments',
    'bot_token.get.conversation',
    'bot_token.get.labels',
    'bot_token.get.messages',
    'bot_token.get.participants',
    'bot_token.post.labels',
    'bot_token.post.mute',
    'bot_token.post.toggle_typing_status',
    'bot_token.post.transcript',
    'bot_token.post.unread',
    'bot_token.post.update_last_seen',
    'bot_token.team_set.get.conversation',
    'conversations.labels.create.bot_token',
    'messages.delete.by_bot_token',
    'messages.delete.own_by_bot_token',
  ],
  refused: [
    'agents.create.exists_elsewhere_case',
    'agents.create.same_mail_again',
    'contacts.create.email_taken',
    'contacts.create.email_taken_case',
    'contacts.create.identifier_256',
    'contacts.create.identifier_5000',
    'contacts.create.identifier_taken',
    'contacts.create.name_256',
    'contacts.create.name_5000',
    'contacts.create.name_lone_surrogate',
    'contacts.create.phone_bad',
    'contacts.create.phone_taken',
    'contacts.create.source_taken_same_identifier',
    'contacts.create.two_taken',
    'contacts.update.email_taken',
    'contacts.update.identifier_taken',
    'contacts.update.name_256',
    'contacts.update.phone_taken',
    'custom_attribute_definitions.create.again',
    'labels.create.bad_title',
    'platform.user.create.name_256',
    'platform.user.create.name_5000',
  ],
  gone: [
    'assignment_policy.inboxes.assignment_policyget',
    'assignment_policy.inboxes.inbox_limitsget',
    'auth.account_deleted.user',
    'contacts.create.inbox_missing',
    'conversations.list..team_id.',
  ],
  'unavailable, delivered no': [
    'bot_token.team_set.get.conversation.500',
    'conversations.get.blank_file_name',
    'conversations.list.blank_file_name',
    'messages.list.blank_file_name',
    'bot_token.team_set.get.conversation',
  ],
  damaged: ['messages.create.blank_file_name'],
};

const outcomeOf = (error: unknown): string => {
  if (error instanceof ProviderAuthError) return 'auth';
  if (error instanceof ProviderDamagedError) return 'damaged';
  if (error instanceof ProviderRefusedError) return error.gone ? 'gone' : 'refused';
  if (error instanceof ProviderUnavailableError)
    return `unavailable, delivered ${error.delivered}${error.retryAfterMs ? `, ${error.isRateLimited ? 'asked for' : 'again after'} ${error.retryAfterMs} ms` : ''}`;
  throw error;
};

const POST: ApiCall = {
  method: 'POST',
  path: '/api/v1/accounts/1/conversations/1/messages',
  body: { content: 'what Eve said' },
};
const GET: ApiCall = { method: 'GET', path: '/api/v1/accounts/1/teams?secret=query' };

async function failureFrom(
  fetch: typeof globalThis.fetch,
  call: ApiCall = POST,
  signal = new AbortController().signal,
): Promise<Error> {
  return new ChatwootClient(fetch, 'https://chatwoot.example', TOKEN, 'botAgent', 16_000).json(call, signal).then(
    () => {
      throw new Error('no failure');
    },
    (error: Error) => error,
  );
}

const answering =
  (status: number, body: string, headers: Record<string, string> = {}) =>
  async () =>
    new Response(body, { status, headers });

const settlesAfter = async (call: ApiCall, status: number, body: string) => {
  const error = (await failureFrom(answering(status, body), call)) as ProviderUnavailableError;
  expect(error).toBeInstanceOf(ProviderUnavailableError);
  return error.ambiguousForMs;
};

describe('refusals of Chatwoot', () => {
  const refusals = [...recordings<RestRecording>('rest'), ...recordings<RestRecording>('rest-4.14')].filter(
    ({ response }) => response.status >= 400,
  );

  it('were recorded', () => {
    expect(refusals.length).toBeGreaterThan(90);
  });

  it.each(refusals.map(recording => [recording.file, recording] as const))(
    '%s becomes what the core can act on',
    async (file, { request, response }) => {
      // The whole name comes first: both versions have the file, with different statuses.
      const names = [file, file.replace(/\.\d{3}$/, '')];
      const [expected] = names.flatMap(name =>
        [OUTCOMES, OF_BOTH].flatMap(all => Object.keys(all).filter(outcome => all[outcome]?.includes(name))),
      );
      const text = typeof response.body === 'string' ? response.body : JSON.stringify(response.body);
      const error = await failureFrom(
        answering(response.status, text, { 'content-type': response.headers['content-type'] ?? '' }),
        { method: request.method as 'POST', path: request.path },
      );
      expect(outcomeOf(error)).toBe(expected);
      expect(error.message).not.toContain(TOKEN);
    },
  );

  it.each<[string, RegExp]>([
    ['auth.rotated_token', /BotAgent1.*reset/],
    ['auth.removed_from_account', /BotAgent1 was removed/],
    ['demoted.messages.create', /BotAgent1.*no longer an administrator/],
    ['auth.suspended_account', /suspended/],
    ['auth.platform_token', /Platform App's or an agent bot's token/],
    ['auth.no_token', /proxy/],
    ['platform.account.get.other_app', /another Platform App/],
    ['platform.account.create.bad_token', /Platform App's token/],
  ])('name the next step for %s', async (file, words) => {
    const { response } = refusals.find(recording => recording.file === `${file}.401`) as RestRecording;
    expect((await failureFrom(answering(401, JSON.stringify(response.body)))).message).toMatch(words);
  });
});

describe("responses that are not Chatwoot's", () => {
  const PAGE = '<html><body>what Eve said</body></html>';

  it.each<[string, number, string, Record<string, string>, string, string]>([
    ['a page with 200', 200, PAGE, {}, 'unavailable, delivered unknown', 'unavailable, delivered no'],
    [
      'a redirect',
      301,
      '',
      { location: 'https://elsewhere.example/' },
      'unavailable, delivered no',
      'unavailable, delivered no',
    ],
    ['a 404 page', 404, '404 page not found', {}, 'unavailable, delivered no', 'unavailable, delivered no'],
    ['an empty 404', 404, '', {}, 'unavailable, delivered no', 'unavailable, delivered no'],
    [
      'a 404 of another API',
      404,
      '{"message":"no Route matched"}',
      {},
      'unavailable, delivered no',
      'unavailable, delivered no',
    ],
    ['a 401 page', 401, PAGE, {}, 'auth', 'auth'],
    ['a 403 page', 403, PAGE, {}, 'auth', 'auth'],
    ['a 413 page', 413, PAGE, {}, 'refused', 'refused'],
    ['a 502 page', 502, PAGE, {}, 'unavailable, delivered unknown', 'unavailable, delivered no'],
    [
      'a 503 with a time',
      503,
      '',
      { 'retry-after': '7' },
      'unavailable, delivered unknown, again after 7000 ms',
      'unavailable, delivered no, again after 7000 ms',
    ],
    [
      'a 429 with a time',
      429,
      'Retry later\n',
      { 'retry-after': '3' },
      'unavailable, delivered no, asked for 3000 ms',
      'unavailable, delivered no, asked for 3000 ms',
    ],
    ['cut JSON', 200, '{"id": 1', {}, 'unavailable, delivered unknown', 'unavailable, delivered no'],
  ])('%s', async (_what, status, body, headers, whenWriting, whenReading) => {
    const writing = await failureFrom(answering(status, body, headers), POST);
    expect([outcomeOf(writing), outcomeOf(await failureFrom(answering(status, body, headers), GET))]).toEqual([
      whenWriting,
      whenReading,
    ]);
    expect(writing.message).not.toMatch(/Eve|html|tok3n/);
  });

  it.each<[string, number, string]>([
    ['a 500 page', 500, PAGE],
    ['a 502 page', 502, PAGE],
    ['a 503 without a word', 503, ''],
    ['a 504 page', 504, PAGE],
    ["a 504 that looks like Chatwoot's", 504, '{"status":504,"error":"Gateway Timeout"}'],
    ['a 500 of another API', 500, '{"message":"An unexpected error occurred"}'],
    ['a 500 of a gateway that tells more', 500, '{"status":500,"error":"Internal Server Error","path":"/api"}'],
    ['a 422 without a reason', 422, '{}'],
    ['a page with 200', 200, PAGE],
    ['cut JSON', 200, '{"id": 1'],
  ])('%s does not end a write: Chatwoot may continue it until its own time limit', async (_what, status, body) => {
    expect(await settlesAfter(POST, status, body)).toBeGreaterThan(15_000);
    expect(await settlesAfter(GET, status, body)).toBe(0);
  });

  it.each<[string, number, string]>([
    ['a 500 of Rails', 500, '{"status":500,"error":"Internal Server Error"}'],
    ['a 422 of an outage', 422, '{"error":"Connection refused - connect(2) for 127.0.0.1:6390"}'],
  ])('%s ends a write: the lookup follows at once', async (_what, status, body) => {
    expect(await settlesAfter(POST, status, body)).toBe(0);
  });

  it('a time that has already passed is not waited for', async () => {
    const began = performance.now();
    const now = jest.spyOn(performance, 'now').mockReturnValue(began);
    const late: typeof globalThis.fetch = async () => {
      now.mockReturnValue(began + 60_000);
      return new Response(PAGE, { status: 504 });
    };
    expect(((await failureFrom(late)) as ProviderUnavailableError).ambiguousForMs).toBe(0);
    now.mockRestore();
  });

  it.each<[string, string, string]>([
    ['ECONNREFUSED', 'unavailable, delivered no', 'cannot be reached'],
    ['ENOTFOUND', 'unavailable, delivered no', 'cannot be reached'],
    ['UND_ERR_CONNECT_TIMEOUT', 'unavailable, delivered no', 'cannot be reached'],
    ['CERT_HAS_EXPIRED', 'unavailable, delivered no', 'cannot be reached'],
    ['ECONNRESET', 'unavailable, delivered unknown', 'cut the connection'],
    ['UND_ERR_SOCKET', 'unavailable, delivered unknown', 'cut the connection'],
    ['UND_ERR_HEADERS_TIMEOUT', 'unavailable, delivered unknown', 'cut the connection'],
  ])('a missing response because of %s is PROVIDER_UNAVAILABLE', async (code, whenWriting, words) => {
    const fetch = async () => {
      throw new TypeError('fetch failed', { cause: Object.assign(new Error('x'), { code }) });
    };
    const error = await failureFrom(fetch);
    expect(outcomeOf(error)).toBe(whenWriting);
    expect(error.message).toContain(words);
    expect(outcomeOf(await failureFrom(fetch, GET))).toBe('unavailable, delivered no');
    expect(outcomeOf(await failureFrom(fetch, { ...POST, isRead: true }))).toBe('unavailable, delivered no');
    // Chatwoot may continue the request until its own time limit.
    const settles = async (call: ApiCall) =>
      ((await failureFrom(fetch, call)) as ProviderUnavailableError).ambiguousForMs;
    expect([(await settles(POST)) > 15_000, await settles(GET)]).toEqual([whenWriting.endsWith('unknown'), 0]);
  });

  it('a forbidden address', async () => {
    const fetch = async () => {
      throw new AddressRefusedError();
    };
    for (const call of [POST, GET]) expect(outcomeOf(await failureFrom(fetch, call))).toBe('unavailable, delivered no');
    expect((await failureFrom(fetch)).message).toContain('SUPPORT_ALLOW_PRIVATE_ADDRESSES');
  });

  it("an error reveals nothing of the network in between or of the server's headers", async () => {
    const cause = Object.assign(new Error('connect ECONNREFUSED 10.0.0.7:3000'), { code: 'ECONNREFUSED' });
    const headers = { 'x-request-id': 'planted', server: 'nginx/1.2' };
    for (const fetch of [
      async () => {
        throw new TypeError('fetch failed', { cause });
      },
      async () => new Response(PAGE, { status: 500, headers }),
      async () => new Response('{}', { status: 404, headers }),
    ])
      expect((await failureFrom(fetch)).message).not.toMatch(/ECONN|10\.0\.0\.7|planted|nginx/);
  });

  it('a response that does not come in time', async () => {
    const limit = new AbortController();
    const fetch: typeof globalThis.fetch = (_url, init) =>
      new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => reject(init.signal?.reason as Error));
        limit.abort();
      });
    const error = await failureFrom(fetch, POST, limit.signal);
    expect(outcomeOf(error)).toBe('unavailable, delivered unknown');
    expect(error.message).toContain('in time');
  });

  it('a call whose time was over before it was sent is not sent, even before its timer has fired', async () => {
    const fetch = jest.fn();
    expect(outcomeOf(await failureFrom(fetch, POST, AbortSignal.abort()))).toBe('unavailable, delivered no');
    const paused = createTimeLimit(60_000);
    const now = jest.spyOn(performance, 'now').mockReturnValue(performance.now() + 60_000);
    expect(outcomeOf(await failureFrom(fetch, POST, paused))).toBe('unavailable, delivered no');
    now.mockRestore();
    expect(fetch).not.toHaveBeenCalled();
  });
});

it('the token is sent in the header that proxies let through, and no redirect is followed with it', async () => {
  const fetch = jest.fn(answering(200, '{}'));
  await new ChatwootClient(fetch, 'https://chatwoot.example', TOKEN, 'botAgent', 16_000).json(
    GET,
    new AbortController().signal,
  );
  expect(fetch).toHaveBeenCalledWith(
    'https://chatwoot.example/api/v1/accounts/1/teams?secret=query',
    expect.objectContaining({ redirect: 'manual', headers: { accept: 'application/json', 'api-access-token': TOKEN } }),
  );
});

it('a token that is invalid in a header is refused, and not repeated', () => {
  let caught: unknown;
  try {
    new ChatwootClient(fetch, 'https://chatwoot.example', 'first\nsecond', 'botAgent', 16_000);
  } catch (error) {
    caught = error;
  }
  expect(caught).toBeInstanceOf(ProviderAuthError);
  expect((caught as Error).message).not.toMatch(/first|second/);
});
