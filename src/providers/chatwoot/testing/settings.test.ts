import { checkSettings, mergeCredentials, parseStoredSettings } from '../settings';

const good = { baseUrl: 'https://chatwoot.example', settings: {}, credentials: { platformToken: 'abc123' } };
const fieldsOf = (change: Partial<Parameters<typeof checkSettings>[0]>) =>
  checkSettings({ ...good, ...change })
    .problems.map(({ field }) => field)
    .sort();

describe('settings of an account', () => {
  it.each<[string, Partial<Parameters<typeof checkSettings>[0]>]>([
    ["a Platform App's token", {}],
    ['an address below a path', { baseUrl: 'http://10.0.0.5:3000/chatwoot/' }],
    ["an administrator's token with the account", { settings: { accountId: 3 }, credentials: { adminToken: 'abc' } }],
    ["an account's number as text", { settings: { accountId: '3' }, credentials: { adminToken: 'abc' } }],
    [
      'what set-up stored beside it',
      {
        settings: { botEmailDomain: 'bots.example.com', version: '4.10.0', botUserId: 3, agentBotId: 2 },
        credentials: { platformToken: 'a', botToken: 'b', agentBotToken: 'c' },
      },
    ],
  ])('are valid with %s', (_what, change) => {
    expect(fieldsOf(change)).toEqual([]);
  });

  it.each<[string, Partial<Parameters<typeof checkSettings>[0]>, string[]]>([
    ['no address', { baseUrl: null }, ['baseUrl']],
    ['an address that is none', { baseUrl: 'chatwoot' }, ['baseUrl']],
    ['another scheme', { baseUrl: 'ftp://chatwoot.example' }, ['baseUrl']],
    ['a password in the address', { baseUrl: 'https://me:secret@chatwoot.example' }, ['baseUrl']],
    ['a query in the address', { baseUrl: 'https://chatwoot.example/?a=b' }, ['baseUrl']],
    ['no token', { credentials: {} }, ['credentials.platformToken']],
    [
      'both tokens',
      { settings: { accountId: 3 }, credentials: { platformToken: 'a', adminToken: 'b' } },
      ['credentials.adminToken'],
    ],
    ["an administrator's token without the account", { credentials: { adminToken: 'b' } }, ['settings.accountId']],
    ['an account that is no number', { settings: { accountId: 'three' } }, ['settings.accountId']],
    ['a token that cannot stand in a header', { credentials: { platformToken: 'a b' } }, ['credentials.platformToken']],
    ['a domain that is none', { settings: { botEmailDomain: 'nowhere' } }, ['settings.botEmailDomain']],
    ['an unknown setting', { settings: { colour: 'red' } }, ['settings.colour']],
    ['an unknown credential', { credentials: { platformToken: 'a', password: 'b' } }, ['credentials.password']],
    [
      'everything at once',
      { baseUrl: 'x', settings: { accountId: 0, colour: 1 }, credentials: { password: 'b' } },
      ['baseUrl', 'credentials.password', 'credentials.platformToken', 'settings.accountId', 'settings.colour'],
    ],
  ])('name the invalid field for %s', (_what, change, fields) => {
    expect(fieldsOf(change)).toEqual(fields);
  });

  it('never show the given value', () => {
    const { problems } = checkSettings({
      baseUrl: 'https://me:s3cret@x',
      settings: { accountId: 's3cret' },
      credentials: { platformToken: 's3cret\n', adminToken: 's3cret' },
    });
    expect(problems.length).toBeGreaterThan(2);
    expect(JSON.stringify(problems)).not.toContain('s3cret');
  });

  it('are read as an earlier or later version stored them', () => {
    expect(parseStoredSettings({ settings: { accountId: '3', botUserId: 7, fromTheFuture: true } })).toEqual({
      accountId: 3,
      botUserId: 7,
    });
  });
});

describe('settings beside stored ones', () => {
  it('never treat a person whose token was given before as BotAgent1', () => {
    expect(mergeCredentials({ adminToken: 'a', agentBotToken: 'c' }, { platformToken: 'p' })).toEqual({
      agentBotToken: 'c',
    });
    expect(mergeCredentials({ platformToken: 'p', botToken: 'b', agentBotToken: 'c' }, { adminToken: 'a' })).toEqual({
      agentBotToken: 'c',
    });
  });

  it.each([[{}], [{ platformToken: 'new' }]])('keep what was stored beside %j', given => {
    const known = { platformToken: 'p', botToken: 'b', agentBotToken: 'c' };
    expect(mergeCredentials(known, given)).toEqual(known);
  });
});
