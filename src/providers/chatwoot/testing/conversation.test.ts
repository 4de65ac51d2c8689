import { randomUUID } from 'node:crypto';
import type { ConversationAccess } from '../../../core/ports/provider/access';
import { ChatwootFixture } from './fixture';

let fixture: ChatwootFixture;
beforeEach(async () => {
  fixture = await ChatwootFixture.ready();
});
afterEach(() => fixture.stop());

const { provider, signal } = { provider: () => fixture.provider, signal: () => fixture.signal() };
const addTeam = (name: string, more: object = {}) =>
  fixture.farSide.call('POST', `${fixture.account}/teams`, fixture.admin, { team: { name, ...more } });
const note = (conversation: ConversationAccess, text = 'context') =>
  provider().postNote(
    { conversation, noteId: `handoff:${randomUUID()}`, text, mayExist: false, lookupAfter: null },
    signal(),
  );

describe('calls per step', () => {
  it.each<[string, (conversation: ConversationAccess) => Promise<unknown>, string[]]>([
    ['a message', c => fixture.post(c, 'hello'), ['POST /conversations/messages']],
    [
      'a message that may exist',
      c => fixture.post(c, 'hello', {}, true),
      ['GET /conversations/messages', 'POST /conversations/messages'],
    ],
    ['a note', c => note(c), ['POST /conversations/messages']],
    ['reading the state', c => provider().readConversation(c, signal()), ['GET /conversations']],
    [
      'reading forward',
      c => provider().listMessages({ conversation: c, after: null }, signal()),
      ['GET /conversations/messages'],
    ],
    ['resolving', c => provider().resolve(c, signal()), ['POST /conversations/toggle_status']],
    ['holding what is held and clean', c => provider().returnToBot(c, signal()), ['GET /conversations']],
    ['a session', () => fixture.conversation(), ['POST /contacts', 'POST /conversations']],
  ])('%s', async (_what, act, calls) => {
    const conversation = await fixture.conversation();
    expect(await fixture.callsOf(() => act(conversation))).toEqual(calls);
  });

  it('a handoff of an existing session: three, one more for a team', async () => {
    const team = await addTeam('billing');
    for (const [target, more] of [
      [{}, []],
      [{ teamId: String(team.id) }, ['POST /conversations/assignments']],
    ] as const) {
      const conversation = await fixture.conversation();
      const calls = await fixture.callsOf(async () => {
        await provider().returnToBot(conversation, signal());
        await note(conversation);
        await fixture.open(conversation, target);
      });
      expect(calls).toEqual([
        'GET /conversations',
        'POST /conversations/messages',
        ...more,
        'POST /conversations/toggle_status',
      ]);
    }
  });
});

describe('contacts', () => {
  const endUser = {
    externalId: 'u-1',
    name: 'Eve',
    email: 'eve@users.example',
    phone: '+15550100499',
    locale: 'de-AT',
    attributes: { plan: 'gold' },
  };
  const ensure = (sessionId: string, change: Partial<typeof endUser> = {}) =>
    provider().ensureContact(fixture.inbox, sessionId, { ...endUser, ...change }, signal());
  const contact = async (id: string) =>
    (await fixture.farSide.get(`${fixture.account}/contacts/${id}`, fixture.admin)).payload;

  it('show agents who the end-user is', async () => {
    const sessionId = randomUUID();
    expect(await contact(await ensure(sessionId))).toMatchObject({
      name: 'Eve',
      email: 'eve@users.example',
      phone_number: '+15550100499',
      identifier: sessionId,
      custom_attributes: { plan: 'gold', support_end_user_id: 'u-1' },
      additional_attributes: { locale: 'de-AT' },
    });
  });

  it("keep an address that is another contact's already, or none, beside the contact's own fields", async () => {
    await ensure(randomUUID());
    const both = await contact(await ensure(randomUUID()));
    expect(both).toMatchObject({
      email: null,
      phone_number: null,
      custom_attributes: { support_email: 'eve@users.example', support_phone_number: '+15550100499' },
    });
    const odd = await contact(await ensure(randomUUID(), { email: 'eve at home', phone: '0555' }));
    expect(odd).toMatchObject({
      name: 'Eve',
      email: null,
      phone_number: null,
      custom_attributes: { support_email: 'eve at home', support_phone_number: '0555' },
    });
  });

  it('are the same for the same session, linked to the inbox again when the link was removed', async () => {
    const sessionId = randomUUID();
    // As if our contact had been created without its inbox.
    const { payload } = await fixture.farSide.call('POST', `${fixture.account}/contacts`, fixture.admin, {
      name: 'Eve',
      identifier: sessionId,
    });
    expect(await ensure(sessionId)).toBe(String(payload.contact.id));
    expect((await contact(payload.contact.id)).contact_inboxes).toEqual([
      expect.objectContaining({
        source_id: sessionId,
        inbox: expect.objectContaining({ id: Number(fixture.inbox.externalId) }),
      }),
    ]);
  });

  it('have a name even when nothing is known', async () => {
    const nobody = { externalId: null, name: null, email: null, phone: null, locale: null, attributes: {} };
    const id = await provider().ensureContact(fixture.inbox, 'c0ffee00-5f5e-4c1b-9a55-3b1c8f0a9d11', nobody, signal());
    expect((await contact(id)).name).toBe('Visitor c0ffee00');
  });

  it('that Chatwoot stored although Redis was down are found', async () => {
    const sessionId = randomUUID();
    await fixture.double.outage('redis');
    await expect(ensure(sessionId)).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE', delivered: 'unknown' });
    await fixture.double.outage(null);
    await ensure(sessionId);
    expect((await fixture.farSide.census())['contacts']).toBe(1);
  });
});

describe('conversations', () => {
  it("are found by their second mark when an agent's tool replaced the attributes", async () => {
    const conversation = await fixture.conversation();
    await fixture.farSide.call(
      'POST',
      `${fixture.account}/conversations/${conversation.conversationId}/custom_attributes`,
      fixture.admin,
      { custom_attributes: { order: '7' } },
    );
    expect(await provider().openConversation({ ...conversation, mayExist: true }, signal())).toBe(
      conversation.conversationId,
    );
  });

  it('of the same contact that are not ours are left alone', async () => {
    const conversation = await fixture.conversation();
    await fixture.farSide.call(
      'DELETE',
      `${fixture.account}/conversations/${conversation.conversationId}`,
      fixture.admin,
    );
    await fixture.double.whenIdle();
    await fixture.farSide.call('POST', `${fixture.account}/conversations`, fixture.admin, {
      inbox_id: Number(fixture.inbox.externalId),
      contact_id: Number(conversation.contactId),
    });
    const again = await provider().openConversation({ ...conversation, mayExist: true }, signal());
    expect((await fixture.farSide.census())['conversations']).toBe(2);
    expect((await fixture.readConversation({ ...conversation, conversationId: again })).custom_attributes).toEqual({
      support_session_id: conversation.sessionId,
    });
  });
});

describe('posts', () => {
  it("of the bot carry the bot's name and do not count as a person's first reply", async () => {
    const conversation = await fixture.conversation();
    await fixture.post(conversation, 'hello');
    await fixture.post(conversation, 'I am the bot', { author: 'BOT' });
    await fixture.post(conversation, 'A colleague will be with you', { author: 'SYSTEM' });
    expect(
      (await fixture.messages(conversation)).map(({ message_type, sender }) => [
        message_type,
        sender.type,
        sender.name,
      ]),
    ).toEqual([
      [0, 'contact', 'Eve'],
      [1, 'agent_bot', 'BotAgent1'],
      [1, 'agent_bot', 'BotAgent1'],
    ]);
    expect((await fixture.readConversation(conversation)).first_reply_created_at).toBe(0);
  });

  it.each<[string, (c: ConversationAccess, text: string) => Promise<unknown>]>([
    ['end-user', (c, text) => fixture.post(c, text)],
    ['bot', (c, text) => fixture.post(c, text, { author: 'BOT' })],
    ['bot to agents only', (c, text) => fixture.post(c, text, { author: 'BOT', visibility: 'INTERNAL' })],
    ['note', (c, text) => note(c, text)],
  ])('say what was written, braces and all: %s', async (_who, act) => {
    const text = 'Dear {{contact.name}}, {{nothing}} costs {% raw %}5{% endraw %} `{{x}}`';
    const conversation = await fixture.conversation();
    await act(conversation, text);
    expect((await fixture.messages(conversation)).map(({ content }) => content)).toEqual([text]);
  });

  it('of an agent, repeated in a new conversation, name the agent', async () => {
    const conversation = await fixture.conversation();
    await fixture.post(conversation, 'I will look into it', { author: 'AGENT', authorName: 'Ada' });
    expect(await fixture.messages(conversation)).toEqual([
      expect.objectContaining({
        content: 'Ada: I will look into it',
        sender: expect.objectContaining({ type: 'agent_bot' }),
      }),
    ]);
  });

  it('carry our id twice', async () => {
    const conversation = await fixture.conversation();
    const id = randomUUID();
    await fixture.post(conversation, 'hello', { id });
    expect(await fixture.messages(conversation)).toEqual([
      expect.objectContaining({ source_id: id, content_attributes: { support_message_id: id } }),
    ]);
  });

  it('that Chatwoot stored although Redis was down are found, and posted only once', async () => {
    const conversation = await fixture.conversation();
    const id = randomUUID();
    await fixture.double.outage('redis');
    await expect(fixture.post(conversation, 'hello', { id })).rejects.toMatchObject({
      code: 'PROVIDER_UNAVAILABLE',
      delivered: 'unknown',
    });
    await fixture.double.outage(null);
    await fixture.post(conversation, 'hello', { id }, true);
    expect((await fixture.messages(conversation)).map(({ content }) => content)).toEqual(['hello']);
  });

  it('are found after hundreds of others', async () => {
    await fixture.stop();
    fixture = await ChatwootFixture.ready({ messagesPerMinute: 100_000 });
    const conversation = await fixture.conversation();
    const fill = async () => {
      for (let n = 0; n < 150; n++)
        await fixture.farSide.call(
          'POST',
          `${fixture.account}/conversations/${conversation.conversationId}/messages`,
          fixture.admin,
          { content: `line ${n}`, message_type: 'incoming' },
        );
    };
    await fill();
    const id = randomUUID();
    const first = await fixture.post(conversation, 'mine', { id });
    await fill();
    expect(await fixture.post(conversation, 'mine', { id }, true)).toBe(first);
  });

  it('beyond 200 in a minute wait, and nothing was stored', async () => {
    await fixture.stop();
    fixture = await ChatwootFixture.ready({ messagesPerMinute: 3 });
    const conversation = await fixture.conversation();
    for (let n = 0; n < 3; n++) await fixture.post(conversation, `line ${n}`);
    await expect(fixture.post(conversation, 'one too many')).rejects.toMatchObject({
      code: 'PROVIDER_UNAVAILABLE',
      delivered: 'no',
      retryAfterMs: expect.any(Number),
    });
  });

  it('that are too long are one post with a file', async () => {
    const conversation = await fixture.conversation();
    expect(await fixture.callsOf(() => fixture.post(conversation, 'x'.repeat(150_001)))).toEqual([
      'POST /conversations/messages',
    ]);
    await fixture.post(conversation, '😀'.repeat(150_000));
    expect(
      (await fixture.messages(conversation)).map(({ content, attachments = [] }) => [
        [...content].length,
        attachments.length,
      ]),
    ).toEqual([
      [150_000, 1],
      [150_000, 0],
    ]);
  });
});

describe('opening a conversation for agents', () => {
  it('assigns it to the requested agent, although the inbox assigns conversations automatically', async () => {
    const [asked, online] = [
      await fixture.addPerson('Asked', 'agent'),
      await fixture.addPerson('Online', 'agent', true),
    ];
    await fixture.farSide.call('PATCH', `${fixture.account}/inboxes/${fixture.inbox.externalId}`, fixture.admin, {
      enable_auto_assignment: true,
    });
    fixture.double.setOnline(online);
    const conversation = await fixture.conversation();
    await fixture.open(conversation, { agentId: String(asked) });
    expect((await fixture.readConversation(conversation)).meta.assignee.id).toBe(asked);
  });

  it('to a team is not assigned to members of the inbox by an inbox that this service creates', async () => {
    const online = await fixture.addPerson('Online', 'agent', true);
    fixture.double.setOnline(online);
    const team = await addTeam('billing');
    const conversation = await fixture.conversation();
    await fixture.open(conversation, { teamId: String(team.id) });
    const { meta, status } = await fixture.readConversation(conversation);
    expect([status, meta.team.id, meta.assignee]).toEqual(['open', team.id, undefined]);
  });

  it('takes a team and an agent of it', async () => {
    const agent = await fixture.addPerson('Member', 'agent');
    const team = await addTeam('billing');
    await fixture.farSide.call('POST', `${fixture.account}/teams/${team.id}/team_members`, fixture.admin, {
      user_ids: [agent],
    });
    const conversation = await fixture.conversation();
    await fixture.open(conversation, { teamId: String(team.id), agentId: String(agent) });
    const { meta } = await fixture.readConversation(conversation);
    expect([meta.team.id, meta.assignee.id]).toEqual([team.id, agent]);
  });

  it.each([{ teamId: 'billing' }, { agentId: 'alice' }, { teamId: '0' }, { agentId: '' }])(
    'refuses the target %j, and says nothing of a lost conversation',
    async target => {
      const conversation = await fixture.conversation();
      await expect(fixture.open(conversation, target)).rejects.toMatchObject({
        code: 'PROVIDER_REFUSED',
        gone: false,
      });
      expect((await fixture.readConversation(conversation)).status).toBe('pending');
    },
  );

  it('clears an assigned agent bot', async () => {
    const conversation = await fixture.conversation();
    await fixture.farSide.call(
      'POST',
      `${fixture.account}/conversations/${conversation.conversationId}/assignments`,
      fixture.admin,
      { assignee_id: fixture.access.settings['agentBotId'], assignee_type: 'AgentBot' },
    );
    expect((await provider().readConversation(conversation, signal())).agent).toBeNull();
    await provider().returnToBot(conversation, signal());
    expect((await fixture.readConversation(conversation)).meta.assignee).toBeUndefined();
  });
});

describe('when BotAgent1 was demoted', () => {
  beforeEach(() => fixture.setRole(fixture.access.settings['botUserId'], 'agent'));

  it("end-users' messages still arrive, and a handoff assigns nobody", async () => {
    const conversation = await fixture.conversation();
    await fixture.post(conversation, 'hello');
    await fixture.open(conversation);
    await fixture.setRole(fixture.access.settings['botUserId'], 'administrator');
    expect((await fixture.messages(conversation)).map(({ content }) => content)).toEqual(['hello']);
    const { status, meta } = await fixture.readConversation(conversation);
    expect([status, meta.assignee]).toEqual(['open', undefined]);
  });

  it.each<[string, (conversation: ConversationAccess) => Promise<unknown>]>([
    ['reading forward', c => provider().listMessages({ conversation: c, after: null }, signal())],
    ['reading the state', c => provider().readConversation(c, signal())],
    ['holding for the bot', c => provider().returnToBot(c, signal())],
    ['making an inbox', () => fixture.ensureInbox()],
  ])('%s says so', async (_what, act) => {
    const conversation = await fixture.conversation();
    await expect(act(conversation)).rejects.toMatchObject({
      code: 'PROVIDER_AUTH',
      message: expect.stringMatching(/BotAgent1.*administrator/),
    });
  });
});

it('names the AgentBot when its token is no longer valid', async () => {
  const conversation = await fixture.conversation();
  await fixture.farSide.call(
    'DELETE',
    `${fixture.account}/agent_bots/${fixture.access.settings['agentBotId']}`,
    fixture.admin,
  );
  await expect(fixture.post(conversation, 'hello')).rejects.toMatchObject({
    code: 'PROVIDER_AUTH',
    message: expect.stringContaining('the AgentBot'),
  });
});

it('names a suspended account', async () => {
  const conversation = await fixture.conversation();
  await fixture.farSide.platform('PATCH', `/accounts/${fixture.access.externalId}`, { status: 'suspended' });
  await expect(fixture.post(conversation, 'hello')).rejects.toMatchObject({
    code: 'PROVIDER_AUTH',
    message: expect.stringContaining('suspended'),
  });
});

it('asks for the rest of the setup when it stopped halfway', async () => {
  const { agentBotToken: _gone, ...credentials } = fixture.access.credentials;
  await expect(provider().listTeams({ ...fixture.access, credentials }, signal())).rejects.toMatchObject({
    code: 'PROVIDER_AUTH',
  });
});

describe('inboxes', () => {
  const shown = (id: string) => fixture.farSide.get(`${fixture.account}/inboxes/${id}`, fixture.admin);

  it('notify nobody by themselves', async () => {
    expect(await shown(fixture.inbox.externalId)).toMatchObject({
      name: 'Shop bot',
      channel_type: 'Channel::Api',
      greeting_enabled: false,
      lock_to_single_conversation: false,
      enable_auto_assignment: false,
    });
  });

  it('are updated with our address, and get their AgentBot back', async () => {
    await fixture.farSide.call(
      'POST',
      `${fixture.account}/inboxes/${fixture.inbox.externalId}/set_agent_bot`,
      fixture.admin,
      { agent_bot: null },
    );
    fixture.access = { ...fixture.access, webhookUrl: 'https://support.example.com/webhooks/1/secret' };
    expect((await fixture.ensureInbox('Shop bot', fixture.inbox)).externalId).toBe(fixture.inbox.externalId);
    expect((await shown(fixture.inbox.externalId)).webhook_url).toBe('https://support.example.com/webhooks/1/secret');
    const conversation = await fixture.conversation();
    await provider().resolve(conversation, signal());
    await fixture.post(conversation, 'one more thing');
    expect((await fixture.readConversation(conversation)).status).toBe('pending');
  });

  it('keep their address when we have none', async () => {
    fixture.access = { ...fixture.access, webhookUrl: 'https://support.example.com/webhooks/1/secret' };
    const inbox = await fixture.ensureInbox();
    fixture.access = { ...fixture.access, webhookUrl: '' };
    await fixture.ensureInbox('Renamed', inbox);
    expect(await shown(inbox.externalId)).toMatchObject({
      name: 'Renamed',
      webhook_url: 'https://support.example.com/webhooks/1/secret',
    });
  });

  it('that were deleted in Chatwoot are created again', async () => {
    await fixture.farSide.call('DELETE', `${fixture.account}/inboxes/${fixture.inbox.externalId}`, fixture.admin);
    await fixture.double.whenIdle();
    const again = await fixture.ensureInbox('Shop bot', fixture.inbox);
    expect(again.externalId).not.toBe(fixture.inbox.externalId);
    expect((await shown(again.externalId)).name).toBe('Shop bot');
  });

  it.each([
    ['4.10', null],
    ['4.14', expect.stringMatching(/^\w{24}$/)],
  ] as const)('of Chatwoot %s store the secret that signs their webhooks', async (version, webhookSecret) => {
    await fixture.stop();
    fixture = await ChatwootFixture.ready({ version });
    expect(fixture.inbox.providerData).toEqual({ inboxIdentifier: expect.any(String), webhookSecret });
    expect((await fixture.ensureInbox('Shop bot', fixture.inbox)).providerData).toEqual(fixture.inbox.providerData);
  });
});
