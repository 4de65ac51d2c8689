import { runOnChatwoot } from '../../scripts/demo/run-on-chatwoot';
import { SETUP_STEPS, DEMO_STEPS } from '../../scripts/demo/demo-steps';
import {
  startChatwootDouble,
  type ChatwootDouble,
  type ChatwootVersion,
} from '../../src/providers/chatwoot/testing/double';
import { ChatwootApi } from '../../src/providers/chatwoot/testing/remote';
import { createTestDatabase, type TestDatabase } from '../../src/testing/database';

/** Like a user who gives the demo the address of an existing Chatwoot. */
describe.each<ChatwootVersion>(['4.10', '4.14'])('the demo on a Chatwoot %s', version => {
  let database: TestDatabase;
  let double: ChatwootDouble;
  let remote: ChatwootApi;
  let said: string;

  beforeEach(async () => {
    said = '';
    database = await createTestDatabase();
    double = await startChatwootDouble({ version });
    remote = new ChatwootApi(double.baseUrl, double.platformToken);
    // Another user's data, which must survive.
    const { id } = await remote.platform('POST', '/accounts', { name: 'Support demo of another' });
    const ada = await remote.platform('POST', '/users', {
      name: 'Ada',
      email: 'ada@acme.example',
      password: 'Passw0rd!x',
    });
    await remote.platform('POST', `/accounts/${id}/account_users`, { user_id: ada.id, role: 'administrator' });
    await remote.call('POST', `/api/v1/accounts/${id}/inboxes`, ada.access_token, {
      name: 'Theirs',
      channel: { type: 'api', webhook_url: '' },
    });
  });

  afterEach(async () => {
    await double.stop();
    await database.drop();
  });

  const play = (steps = DEMO_STEPS) => {
    const say = (text: string) => {
      said += `${text}\n`;
    };
    return runOnChatwoot({
      url: `${double.baseUrl}/`,
      platformToken: double.platformToken,
      databaseUrl: database.url,
      steps,
      out: { log: say, error: say },
      // Only webhooks, because a timer must not affect the counts.
      env: { SUPPORT_LIVE_SCAN_INTERVAL_SECONDS: '600' },
    });
  };
  /** All except the emptied, suspended accounts of earlier runs. The list must work, whatever ran before. */
  const everything = async () => {
    await double.whenIdle();
    const accounts: { id: number; name: string; status: string }[] = await remote.platform('GET', '/accounts');
    const removed = accounts.filter(({ name }) => name.startsWith('removed: '));
    expect(removed.map(({ status }) => status)).toEqual(removed.map(() => 'suspended'));
    const census = await remote.census();
    return {
      census: { ...census, accounts: census.accounts! - removed.length },
      people: await peopleLeft(),
      accounts: accounts.filter(one => !removed.includes(one)),
    };
  };
  /** Ids are never reused: each is read, far beyond the newest. */
  const peopleLeft = async () => {
    const ids: number[] = [];
    for (let id = 1; id <= 20; id++)
      if (
        (
          await fetch(`${double.baseUrl}/platform/api/v1/users/${id}`, {
            headers: { 'api-access-token': double.platformToken },
          })
        ).ok
      )
        ids.push(id);
    return ids;
  };
  const tokens = () => [double.platformToken, ...[...said.matchAll(/[A-Za-z0-9]{24,}/g)].map(([text]) => text)];

  it('succeeds, prints its calls, and leaves nothing behind', async () => {
    const before = await everything();
    const code = await play();
    expect({ code, said: code === 0 ? '' : said }).toEqual({ code: 0, said: '' });
    expect(await everything()).toEqual(before);

    expect(said).toContain(`All ${DEMO_STEPS.length} steps are as expected.`);
    expect(said.slice(said.indexOf('Calls to Chatwoot for')).split('\n').slice(1, 4)).toEqual([
      '   1  a message, end-user to agents: POST /conversations/…/messages',
      '   3  a handoff of an existing session, to a team, with its note: POST /conversations/…/messages, POST /conversations/…/assignments, POST /conversations/…/toggle_status',
      '   1  a message, agent to end-user: GET /conversations/…/messages',
    ]);
    expect(tokens()).toEqual([double.platformToken]);
    expect(said).not.toContain(double.platformToken);
  });

  it('leaves nothing behind when a step differs, or fails', async () => {
    const before = await everything();
    const differing = [...SETUP_STEPS, { title: 'differs', act: async () => ({ is: 1 }), expected: () => ({ is: 2 }) }];
    expect(await play(differing)).toBe(1);
    expect(said).toContain('seen.is is 1, expected 2');
    expect(await everything()).toEqual(before);

    const breaking = [
      SETUP_STEPS[0]!,
      { title: 'breaks', act: () => Promise.reject(new Error('broke')), expected: () => ({}) },
    ];
    expect(await play(breaking)).toBe(1);
    expect(await everything()).toEqual(before);
  });

  it('finds and removes an account whose creation had no response', async () => {
    const before = await everything();
    double.failNext({ mode: 'applyThenCut', match: { method: 'POST', path: /^\/platform\/api\/v1\/accounts$/ } });
    expect(await play([SETUP_STEPS[0]!])).toBe(1);
    expect(await everything()).toEqual(before);
  });

  it('names what it could not remove', async () => {
    double.failNext({ mode: 'status:500', match: { method: 'PATCH', path: /^\/platform\/api\/v1\/accounts\// } });
    expect(await play([SETUP_STEPS[0]!])).toBe(1);
    expect(said).toMatch(/account \d+ \(Chatwoot responded with 500\)/);
  });
});

it('the demo succeeds where Chatwoot sends no webhooks to this machine', async () => {
  const database = await createTestDatabase();
  const double = await startChatwootDouble({ version: '4.14', allowPrivateNetwork: false });
  try {
    let said = '';
    const say = (text: string) => {
      said += `${text}\n`;
    };
    const code = await runOnChatwoot({
      url: double.baseUrl,
      platformToken: double.platformToken,
      databaseUrl: database.url,
      env: { SUPPORT_LIVE_SCAN_INTERVAL_SECONDS: '1' },
      out: { log: say, error: say },
    });
    expect({ code, said: code === 0 ? '' : said }).toEqual({ code: 0, said: '' });
    expect(double.deliveries().filter(({ state }) => state === 'delivered')).toEqual([]);
  } finally {
    await double.stop();
    await database.drop();
  }
});
