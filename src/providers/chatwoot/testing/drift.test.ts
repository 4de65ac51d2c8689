import { randomUUID, type UUID } from 'node:crypto';
import type { AccountProgress, EnsuredInbox } from '../../../core/ports/provider/setup-verbs';
import type { DesiredState, DriftItem } from '../../../core/ports/provider/drift';
import type { ChatwootDoubleOptions } from './double';
import { ChatwootFixture } from './fixture';

let fixture: ChatwootFixture;
afterEach(() => fixture?.stop());

const WEBHOOK = 'http://127.0.0.1:9/webhooks/account/the-secret-in-the-path';
const OWNERS = [{ name: 'Ada Owner', email: 'ada@owners.example' }];
let inboxId: UUID;
let inbox: EnsuredInbox;
let ownerId: number;

async function ready(options: ChatwootDoubleOptions = {}): Promise<void> {
  fixture = await ChatwootFixture.open(options);
  fixture.access = { ...fixture.access, webhookUrl: WEBHOOK };
  await fixture.ensureAccount();
  inboxId = randomUUID();
  const { account, ...made } = (fixture.inbox = await fixture.ensureInbox('Shop bot', undefined, inboxId));
  expect(account).toBe(fixture.access);
  inbox = made;
  ownerId = Number((await fixture.provider.listAgents(fixture.access, fixture.signal()))[0]!.externalId);
}
const desired = (more: Partial<DesiredState> = {}): DesiredState => ({
  access: fixture.access,
  owners: OWNERS,
  teams: [],
  inboxes: [{ inboxId, chatbotId: 'bot', name: 'Shop bot', ...inbox, members: null }],
  ...more,
});
const inspect = async (more: Partial<DesiredState> = {}): Promise<readonly DriftItem[]> =>
  (await fixture.provider.drift!.inspectDrift(desired(more), fixture.signal())).items;
const problems = async (more: Partial<DesiredState> = {}) =>
  (await inspect(more)).filter(({ problem }) => problem !== null);
const repair = async (items: readonly string[], more: Partial<DesiredState> = {}): Promise<void> => {
  await fixture.provider.drift!.repairDrift(
    {
      desired: desired(more),
      items,
      save: async (progress: AccountProgress) => {
        fixture.access = { ...fixture.access, ...progress };
      },
      withInboxLock: async (id, work) => {
        inbox = (await work(desired(more).inboxes.find(one => one.inboxId === id)!, fixture.signal())) ?? inbox;
      },
    },
    fixture.signal(),
  );
  fixture.inbox = { ...inbox, account: fixture.access };
};
const api = (method: string, path: string, body?: object) =>
  fixture.farSide.call(method, `${fixture.account}${path}`, fixture.admin, body);
/** Calls as a person, whatever happened to BotAgent1. */
async function byOwner(method: string, path: string, body?: object): Promise<any> {
  const { access_token } = await fixture.farSide.platform<{ access_token: string }>('GET', `/users/${ownerId}`);
  return fixture.farSide.call(method, `${fixture.account}${path}`, access_token, body);
}
const inboxPath = () => `/inboxes/${inbox.externalId}`;
const botId = () => Number(fixture.access.settings['botUserId']);

/** Every kind of damage and the item that reports it. A second inspection proves the repair. */
const HARMS: [string, () => Promise<unknown>, string[]][] = [
  ['BotAgent1 is demoted', () => fixture.setRole(botId(), 'agent'), ['bot-agent:role']],
  [
    'BotAgent1 is taken out of the account',
    () =>
      fixture.farSide.platform('DELETE', `/accounts/${fixture.access.externalId}/account_users`, {
        user_id: botId(),
      }),
    ['bot-agent:role'],
  ],
  [
    "BotAgent1's token is reset",
    () => fixture.farSide.call('POST', '/api/v1/profile/reset_access_token', fixture.admin),
    ['bot-agent:token'],
  ],
  ['BotAgent1 is deleted', () => fixture.farSide.platform('DELETE', `/users/${botId()}`), ['bot-agent:token']],
  [
    'BotAgent1 is renamed',
    () => fixture.farSide.platform('PATCH', `/users/${botId()}`, { name: 'Robot', display_name: 'Robot' }),
    ['bot-agent:name'],
  ],
  [
    'the AgentBot is given an address',
    () => api('PATCH', `/agent_bots/${fixture.access.settings['agentBotId']}`, { outgoing_url: 'http://127.0.0.2:9' }),
    ['agent-bot'],
  ],
  ['an owner is demoted', () => fixture.setRole(ownerId, 'agent'), ['owner:ada@owners.example']],
  [
    'an owner is removed',
    () =>
      fixture.farSide.platform('DELETE', `/accounts/${fixture.access.externalId}/account_users`, {
        user_id: ownerId,
      }),
    ['owner:ada@owners.example'],
  ],
  ['the inbox is renamed', () => api('PATCH', inboxPath(), { name: 'Other' }), ['name']],
  [
    'the webhook goes elsewhere',
    () => api('PATCH', inboxPath(), { channel: { webhook_url: 'http://127.0.0.2:9/hook' } }),
    ['webhook-url'],
  ],
  [
    'the webhook has another secret path',
    () => api('PATCH', inboxPath(), { channel: { webhook_url: `${WEBHOOK}x` } }),
    ['webhook-url'],
  ],
  ['the inbox loses its bot', () => api('POST', `${inboxPath()}/set_agent_bot`, { agent_bot: null }), ['agent-bot']],
  [
    'the inbox greets',
    () => api('PATCH', inboxPath(), { greeting_enabled: true, greeting_message: 'Hi' }),
    ['greeting_enabled'],
  ],
  [
    'the inbox assigns by itself',
    () => api('PATCH', inboxPath(), { enable_auto_assignment: true }),
    ['enable_auto_assignment'],
  ],
  [
    'the inbox is locked to one conversation',
    () => api('PATCH', inboxPath(), { lock_to_single_conversation: true }),
    ['lock_to_single_conversation'],
  ],
  [
    'the inbox keeps hours',
    () => api('PATCH', inboxPath(), { working_hours_enabled: true }),
    ['working_hours_enabled'],
  ],
];
describe.each(['3.16', '4.10', '4.14'] as const)('drift on %s', version => {
  it.each(HARMS)('shows and repairs: %s', async (what, harm, parts) => {
    await ready({ version });
    expect(await problems()).toEqual([]);
    await harm();
    const found = await problems();
    const wanted = parts.map(part => (found.some(({ id }) => id === part) ? part : `inbox:${inboxId}:${part}`));
    expect({ what, found: found.map(({ id }) => id) }).toEqual({ what, found: wanted });
    for (const item of found) {
      expect(item).toMatchObject({ repairable: true, problem: expect.any(String) });
      expect(item.observed).not.toBe(item.desired);
    }
    await repair(found.map(({ id }) => id));
    expect(await problems()).toEqual([]);
    await fixture.post(await fixture.conversation(), 'works again');
  });
});

describe('drift', () => {
  it('names a demoted BotAgent1 as such: in drift, and in the errors of reads', async () => {
    await ready();
    const conversation = await fixture.conversation();
    await fixture.setRole(botId(), 'agent');
    const words = expect.stringContaining('BotAgent1 is no longer an administrator');
    expect(await problems()).toMatchObject([
      { kind: 'BOT_AGENT_ROLE', subject: 'BotAgent1', desired: 'administrator', observed: 'agent', problem: words },
    ]);
    await expect(fixture.provider.readConversation(conversation, fixture.signal())).rejects.toMatchObject({
      code: 'PROVIDER_AUTH',
      message: words,
    });
    await expect(fixture.ensureInbox('Another')).rejects.toMatchObject({ code: 'PROVIDER_AUTH', message: words });
  });

  it('never makes a demoted BotAgent1 the assignee: not by opening, on request, or after an assignment', async () => {
    await ready();
    await fixture.setRole(botId(), 'agent');
    await byOwner('POST', '/inbox_members', { inbox_id: Number(inbox.externalId), user_ids: [botId()] });
    const conversation = await fixture.conversation();
    await fixture.open(conversation);
    const path = `/conversations/${conversation.conversationId}`;
    expect((await byOwner('GET', path)).meta.assignee ?? null).toBeNull();
    await expect(fixture.open(conversation, { agentId: String(botId()) })).rejects.toMatchObject({
      code: 'PROVIDER_REFUSED',
    });
    expect((await byOwner('GET', path)).meta.assignee ?? null).toBeNull();
    await byOwner('POST', `${path}/assignments`, { assignee_id: botId() });
    expect((await fixture.provider.readConversation(conversation, fixture.signal())).agent).toBeNull();
  });

  it('shows no secret, neither of webhooks nor of tokens', async () => {
    await ready({ version: '4.14' });
    await api('PATCH', inboxPath(), { channel: { webhook_url: `${WEBHOOK}x` } });
    await api('POST', `${inboxPath()}/reset_secret`);
    const text = JSON.stringify(await inspect());
    for (const secret of [
      'the-secret-in-the-path',
      ...Object.values(fixture.access.credentials),
      String(inbox.providerData['webhookSecret']),
    ])
      expect(text).not.toContain(secret);
  });

  it('finds a signing secret that was reset, and learns the new one', async () => {
    await ready({ version: '4.14' });
    const before = inbox.providerData['webhookSecret'];
    await api('POST', `${inboxPath()}/reset_secret`);
    expect(await problems()).toMatchObject([
      { kind: 'INBOX_WEBHOOK_SECRET', desired: 'known', observed: 'another than ours' },
    ]);
    await repair([`inbox:${inboxId}:webhook-secret`]);
    expect(await problems()).toEqual([]);
    expect(inbox.providerData['webhookSecret']).not.toBe(before);
  });

  it('creates a deleted inbox again', async () => {
    await ready();
    const before = inbox.externalId;
    await api('DELETE', inboxPath());
    await fixture.double.whenIdle();
    expect(await problems()).toMatchObject([{ id: `inbox:${inboxId}`, kind: 'INBOX', observed: 'deleted' }]);
    await repair([`inbox:${inboxId}`]);
    expect(inbox.externalId).not.toBe(before);
    expect(await problems()).toEqual([]);
  });

  it('compares members of inboxes and teams with those set through this service', async () => {
    await ready();
    const [ada, carol] = [String(ownerId), String(await fixture.addPerson('Carol', 'agent'))];
    const team = await fixture.provider.agentsAndTeams!.createTeam(
      fixture.access,
      { name: 'Night', autoAssign: false },
      fixture.signal(),
    );
    const more = {
      inboxes: [{ ...desired().inboxes[0]!, members: [carol] }],
      teams: [{ externalId: team.externalId, name: team.name, members: [carol, ada], autoAssign: null }],
    };
    const found = await problems(more);
    expect(found.map(({ kind, desired: wanted, observed }) => [kind, wanted, observed])).toEqual([
      ['TEAM_MEMBERS', `${ada}, ${carol}`, 'nobody'],
      ['INBOX_MEMBERS', carol, 'nobody'],
    ]);
    await repair(
      found.map(({ id }) => id),
      more,
    );
    expect(await problems(more)).toEqual([]);
    await api('DELETE', `/teams/${team.externalId}`);
    expect(await problems(more)).toMatchObject([{ kind: 'TEAM_MEMBERS', observed: null, repairable: false }]);
  });

  it("compares a team's auto-assignment with the one that it was created with", async () => {
    await ready();
    const team = await fixture.provider.agentsAndTeams!.createTeam(
      fixture.access,
      { name: 'Night', autoAssign: false },
      fixture.signal(),
    );
    expect(await api('GET', `/teams/${team.externalId}`)).toMatchObject({ allow_auto_assign: false });
    const more = { teams: [{ externalId: team.externalId, name: team.name, members: null, autoAssign: false }] };
    expect(await problems(more)).toEqual([]);
    await api('PATCH', `/teams/${team.externalId}`, { team: { allow_auto_assign: true } });
    const found = await problems(more);
    expect(found).toMatchObject([
      {
        id: `team:${team.externalId}:auto-assign`,
        kind: 'TEAM_SETTINGS',
        repairable: true,
        problem: expect.stringContaining('any member who is online'),
      },
    ]);
    await repair(
      found.map(({ id }) => id),
      more,
    );
    expect(await api('GET', `/teams/${team.externalId}`)).toMatchObject({ allow_auto_assign: false });
    expect(
      await fixture.provider
        .agentsAndTeams!.createTeam(fixture.access, { name: 'Day', autoAssign: true }, fixture.signal())
        .then(({ externalId }) => api('GET', `/teams/${externalId}`)),
    ).toMatchObject({ allow_auto_assign: true });
  });

  it('does not change an inbox without our mark', async () => {
    await ready();
    const theirs = await api('POST', '/inboxes', {
      name: 'Theirs',
      greeting_enabled: true,
      channel: { type: 'api', webhook_url: 'http://127.0.0.3:9' },
    });
    const before = JSON.stringify(await api('GET', `/inboxes/${theirs.id}`));
    inbox = { ...inbox, externalId: String(theirs.id) };
    const found = await problems();
    expect(found).toMatchObject([{ kind: 'INBOX', observed: 'not ours', repairable: false }]);
    await repair([
      `inbox:${inboxId}`,
      ...['name', 'webhook-url', 'greeting_enabled', 'agent-bot'].map(part => `inbox:${inboxId}:${part}`),
    ]);
    expect(JSON.stringify(await api('GET', `/inboxes/${theirs.id}`))).toBe(before);
  });

  it('without a Platform App reports what it cannot repair', async () => {
    await ready();
    const { platformToken, ...credentials } = fixture.access.credentials;
    expect(platformToken).toBeDefined();
    fixture.access = { ...fixture.access, credentials };
    await fixture.farSide.call('POST', '/api/v1/profile/reset_access_token', fixture.admin);
    const [item] = await problems();
    expect(item).toMatchObject({ kind: 'BOT_AGENT_TOKEN', repairable: false });
    await repair([item!.id]);
    expect(await problems()).toHaveLength(1);
  });

  it('without a Platform App invites a removed owner', async () => {
    await ready();
    const { platformToken, ...credentials } = fixture.access.credentials;
    await fixture.farSide.platform('DELETE', `/accounts/${fixture.access.externalId}/account_users`, {
      user_id: ownerId,
    });
    fixture.access = { ...fixture.access, credentials };
    expect(platformToken).toBeDefined();
    expect(await problems()).toMatchObject([{ kind: 'OWNER', observed: null, repairable: true }]);
    await repair(['owner:ada@owners.example']);
    expect(await problems()).toEqual([]);
  });

  it('learns another version of the server', async () => {
    await ready();
    fixture.access = { ...fixture.access, settings: { ...fixture.access.settings, version: '4.8.0' } };
    const { learned } = await fixture.provider.drift!.inspectDrift(desired(), fixture.signal());
    expect(learned.settings).toMatchObject({ version: '4.10.0', botUserId: botId() });
  });
});

describe('objects of others in the same account', () => {
  /** Creates webhooks, bots, inboxes, users and teams that are not ours. */
  async function foreigners() {
    const bot = await api('POST', '/agent_bots', {
      name: 'BotAgent1',
      description: "Somebody else's",
      outgoing_url: 'http://127.0.0.3:9/bot',
    });
    const theirs = await api('POST', '/inboxes', {
      name: 'Shop bot',
      greeting_enabled: true,
      enable_auto_assignment: true,
      lock_to_single_conversation: true,
      channel: { type: 'api', webhook_url: 'http://127.0.0.3:9/inbox' },
    });
    await api('POST', `/inboxes/${theirs.id}/set_agent_bot`, { agent_bot: bot.id });
    await api('POST', '/webhooks', { url: 'http://127.0.0.3:9/account' });
    const carol = await fixture.addPerson('BotAgent1', 'agent');
    await api('POST', '/inbox_members', { inbox_id: theirs.id, user_ids: [carol] });
    const team = await api('POST', '/teams', { team: { name: 'Theirs' } });
    await api('POST', `/teams/${team.id}/team_members`, { user_ids: [carol] });
    return async () =>
      JSON.stringify([
        await byOwner('GET', `/agent_bots/${bot.id}`),
        await byOwner('GET', `/inboxes/${theirs.id}`),
        await byOwner('GET', `/inboxes/${theirs.id}/agent_bot`),
        await byOwner('GET', '/webhooks'),
        await byOwner('GET', `/inbox_members/${theirs.id}`),
        await byOwner('GET', `/teams/${team.id}/team_members`),
        (await byOwner('GET', '/agents')).filter(({ id }: { id: number }) => id === carol),
        await fixture.farSide.platform('GET', `/users/${carol}`),
      ]);
  }

  it('are not changed by setup, inspection and repair of everything of ours, nor by removing and adding agents', async () => {
    await ready({ version: '4.14' });
    const theirs = await foreigners();
    const before = await theirs();
    const harms = [...HARMS].filter(
      ([what]) => !/owner is removed|taken out|token is reset|BotAgent1 is deleted/.test(what),
    );
    // The demotion comes last: after it only the owner may do the rest.
    for (const [, harm] of [...harms.slice(1), harms[0]!].filter(([what]) => what !== 'an owner is demoted'))
      await harm();
    await api('GET', '/agents');
    for (let round = 0; round < 3; round++) await repair((await problems()).map(({ id }) => id));
    expect(await problems()).toEqual([]);
    await fixture.ensureAccount();
    await fixture.ensureInbox('Shop bot renamed', inbox, inboxId);
    const agentVerbs = fixture.provider.agentsAndTeams!;
    const { externalId } = await agentVerbs.addAgent(
      { access: fixture.access, name: 'Dora', email: 'dora@people.example', role: 'AGENT' },
      fixture.signal(),
    );
    await agentVerbs.setInboxMembers(fixture.inbox, [externalId], fixture.signal());
    await agentVerbs.removeAgent(
      { access: fixture.access, agentId: externalId, deletePerson: false },
      fixture.signal(),
    );
    expect(await theirs()).toBe(before);
  });
});
