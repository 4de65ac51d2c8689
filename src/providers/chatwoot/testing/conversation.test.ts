import { randomUUID } from 'node:crypto';
import type { ConversationAccess } from '../../../core/ports/provider/access';
import { ChatwootFixture } from './fixture';

let workshop: ChatwootFixture;
beforeEach(async () => {
  workshop = await ChatwootFixture.ready();
});
afterEach(() => workshop.stop());

const { provider, signal } = { provider: () => workshop.provider, signal: () => workshop.signal() };
const addTeam = (name: string, more: object = {}) =>
  workshop.farSide.call('POST', `${workshop.account}/teams`, workshop.admin, { team: { name, ...more } });
const note = (conversation: ConversationAccess, text = 'context') =>
  provider().postNote(
    { conversation, noteId: `handoff:${randomUUID()}`, text, mayExist: false, lookupAfter: null },
    signal(),
  );

describe('calls per step', () => {
  it.each<[string, (conversation: ConversationAccess) => Promise<unknown>, string[]]>([
    ['a message', c => workshop.post(c, 'hello'), ['POST /conversations/messages']],
    [
      'a message that may exist',
      c => workshop.post(c, 'hello', {}, true),
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
    ['a session', () => workshop.conversation(), ['POST /contacts', 'POST /conversations']],
  ])('%s', async (_what, act, calls) => {
    const conversation = await workshop.conversation();
    expect(await workshop.callsOf(() => act(conversation))).toEqual(calls);
  });

  it('a handoff of an existing session: three, one more for a team', async () => {
    const team = await addTeam('billing');
    for (const [target, more] of [
      [{}, []],
      [{ teamId: String(team.id) }, ['POST /conversations/assignments']],
    ] as const) {
      const conversation = await workshop.conversation();
      const calls = await workshop.callsOf(async () => {
        await provider().returnToBot(conversation, signal());
        await note(conversation);
        await workshop.open(conversation, target);
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
    provider().ensureContact(workshop.inbox, sessionId, { ...endUser, ...change }, signal());
  const contact = async (id: string) =>
    (await workshop.farSide.get(`${workshop.account}/contacts/${id}`, workshop.admin)).payload;

  it('show agents who it is', async () => {
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
    const { payload } = await workshop.farSide.call('POST', `${workshop.account}/contacts`, workshop.admin, {
      name: 'Eve',
      identifier: sessionId,
    });
    expect(await ensure(sessionId)).toBe(String(payload.contact.id));
    expect((await contact(payload.contact.id)).contact_inboxes).toEqual([
      expect.objectContaining({
        source_id: sessionId,
        inbox: expect.objectContaining({ id: Number(workshop.inbox.externalId) }),
      }),
    ]);
  });

  it('have a name even when nothing is known', async () => {
    const nobody = { externalId: null, name: null, email: null, phone: null, locale: null, attributes: {} };
    const id = await provider().ensureContact(workshop.inbox, 'c0ffee00-5f5e-4c1b-9a55-3b1c8f0a9d11', nobody, signal());
    expect((await contact(id)).name).toBe('Visitor c0ffee00');
  });

  it('that Chatwoot stored although Redis was down are found', async () => {
    const sessionId = randomUUID();
    await workshop.double.outage('redis');
    await expect(ensure(sessionId)).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE', delivered: 'unknown' });
    await workshop.double.outage(null);
    await ensure(sessionId);
    expect((await workshop.farSide.census())['contacts']).toBe(1);
  });
});

describe('conversations', () => {
  it("are found by their second mark when an agent's tool replaced the attributes", async () => {
    const conversation = await workshop.conversation();
    await workshop.farSide.call(
      'POST',
      `${workshop.account}/conversations/${conversation.conversationId}/custom_attributes`,
      workshop.admin,
      { custom_attributes: { order: '7' } },
    );
    expect(await provider().openConversation({ ...conversation, mayExist: true }, signal())).toBe(
      conversation.conversationId,
    );
  });

  it('of the same contact that are not ours are left alone', async () => {
    const conversation = await workshop.conversation();
    await workshop.farSide.call(
      'DELETE',
      `${workshop.account}/conversations/${conversation.conversationId}`,
      workshop.admin,
    );
    await workshop.double.settled();
    await workshop.farSide.call('POST', `${workshop.account}/conversations`, workshop.admin, {
      inbox_id: Number(workshop.inbox.externalId),
      contact_id: Number(conversation.contactId),
    });
    const again = await provider().openConversation({ ...conversation, mayExist: true }, signal());
    expect((await workshop.farSide.census())['conversations']).toBe(2);
    expect((await workshop.readConversation({ ...conversation, conversationId: again })).custom_attributes).toEqual({
      support_session_id: conversation.sessionId,
    });
  });
});

describe('posts', () => {
  it("of the bot carry the bot's name and do not count as a person's first reply", async () => {
    const conversation = await workshop.conversation();
    await workshop.post(conversation, 'hello');
    await workshop.post(conversation, 'I am the bot', { author: 'BOT' });
    await workshop.post(conversation, 'A colleague will be with you', { author: 'SYSTEM' });
    expect(
      (await workshop.messages(conversation)).map(({ message_type, sender }) => [
        message_type,
        sender.type,
        sender.name,
      ]),
    ).toEqual([
      [0, 'contact', 'Eve'],
      [1, 'agent_bot', 'BotAgent1'],
      [1, 'agent_bot', 'BotAgent1'],
    ]);
    expect((await workshop.readConversation(conversation)).first_reply_created_at).toBe(0);
  });

  it.each<[string, (c: ConversationAccess, text: string) => Promise<unknown>]>([
    ['end-user', (c, text) => workshop.post(c, text)],
    ['bot', (c, text) => workshop.post(c, text, { author: 'BOT' })],
    ['bot to agents only', (c, text) => workshop.post(c, text, { author: 'BOT', visibility: 'INTERNAL' })],
    ['note', (c, text) => note(c, text)],
  ])('say what was written, braces and all: %s', async (_who, act) => {
    const text = 'Dear {{contact.name}}, {{nothing}} costs {% raw %}5{% endraw %} `{{x}}`';
    const conversation = await workshop.conversation();
    await act(conversation, text);
    expect((await workshop.messages(conversation)).map(({ content }) => content)).toEqual([text]);
  });

  it('of an agent, repeated in a new conversation, name the agent', async () => {
    const conversation = await workshop.conversation();
    await workshop.post(conversation, 'I will look into it', { author: 'AGENT', authorName: 'Ada' });
    expect(await workshop.messages(conversation)).toEqual([
      expect.objectContaining({
        content: 'Ada: I will look into it',
        sender: expect.objectContaining({ type: 'agent_bot' }),
      }),
    ]);
  });

  it('carry our id twice', async () => {
    const conversation = await workshop.conversation();
    const id = randomUUID();
    await workshop.post(conversation, 'hello', { id });
    expect(await workshop.messages(conversation)).toEqual([
      expect.objectContaining({ source_id: id, content_attributes: { support_message_id: id } }),
    ]);
  });

  it('that Chatwoot stored although Redis was down are found and not repeated', async () => {
    const conversation = await workshop.conversation();
    const id = randomUUID();
    await workshop.double.outage('redis');
    await expect(workshop.post(conversation, 'hello', { id })).rejects.toMatchObject({
      code: 'PROVIDER_UNAVAILABLE',
      delivered: 'unknown',
    });
    await workshop.double.outage(null);
    await workshop.post(conversation, 'hello', { id }, true);
    expect((await workshop.messages(conversation)).map(({ content }) => content)).toEqual(['hello']);
  });

  it('are found after hundreds of others', async () => {
    await workshop.stop();
    workshop = await ChatwootFixture.ready({ messagesPerMinute: 100_000 });
    const conversation = await workshop.conversation();
    const fill = async () => {
      for (let n = 0; n < 150; n++)
        await workshop.farSide.call(
          'POST',
          `${workshop.account}/conversations/${conversation.conversationId}/messages`,
          workshop.admin,
          { content: `line ${n}`, message_type: 'incoming' },
        );
    };
    await fill();
    const id = randomUUID();
    const first = await workshop.post(conversation, 'mine', { id });
    await fill();
    expect(await workshop.post(conversation, 'mine', { id }, true)).toBe(first);
  });

  it('beyond 200 in a minute wait, and nothing was stored', async () => {
    await workshop.stop();
    workshop = await ChatwootFixture.ready({ messagesPerMinute: 3 });
    const conversation = await workshop.conversation();
    for (let n = 0; n < 3; n++) await workshop.post(conversation, `line ${n}`);
    await expect(workshop.post(conversation, 'one too many')).rejects.toMatchObject({
      code: 'PROVIDER_UNAVAILABLE',
      delivered: 'no',
      retryAfterMs: expect.any(Number),
    });
  });

  it('that are too long are one post with a file', async () => {
    const conversation = await workshop.conversation();
    expect(await workshop.callsOf(() => workshop.post(conversation, 'x'.repeat(150_001)))).toEqual([
      'POST /conversations/messages',
    ]);
    await workshop.post(conversation, '😀'.repeat(150_000));
    expect(
      (await workshop.messages(conversation)).map(({ content, attachments = [] }) => [
        [...content].length,
        attachments.length,
      ]),
    ).toEqual([
      [150_000, 1],
      [150_000, 0],
    ]);
  });
});

describe('handing over', () => {
  it('assigns it to the requested agent, although the inbox assigns conversations automatically', async () => {
    const [asked, online] = [
      await workshop.addPerson('Asked', 'agent'),
      await workshop.addPerson('Online', 'agent', true),
    ];
    await workshop.farSide.call('PATCH', `${workshop.account}/inboxes/${workshop.inbox.externalId}`, workshop.admin, {
      enable_auto_assignment: true,
    });
    workshop.double.setOnline(online);
    const conversation = await workshop.conversation();
    await workshop.open(conversation, { agentId: String(asked) });
    expect((await workshop.readConversation(conversation)).meta.assignee.id).toBe(asked);
  });

  it('to a team is not assigned to members of the inbox by an inbox that this service creates', async () => {
    const online = await workshop.addPerson('Online', 'agent', true);
    workshop.double.setOnline(online);
    const team = await addTeam('billing');
    const conversation = await workshop.conversation();
    await workshop.open(conversation, { teamId: String(team.id) });
    const { meta, status } = await workshop.readConversation(conversation);
    expect([status, meta.team.id, meta.assignee]).toEqual(['open', team.id, undefined]);
  });

  it('takes a team and an agent of it', async () => {
    const agent = await workshop.addPerson('Member', 'agent');
    const team = await addTeam('billing');
    await workshop.farSide.call('POST', `${workshop.account}/teams/${team.id}/team_members`, workshop.admin, {
      user_ids: [agent],
    });
    const conversation = await workshop.conversation();
    await workshop.open(conversation, { teamId: String(team.id), agentId: String(agent) });
    const { meta } = await workshop.readConversation(conversation);
    expect([meta.team.id, meta.assignee.id]).toEqual([team.id, agent]);
  });

  it.each([{ teamId: 'billing' }, { agentId: 'alice' }, { teamId: '0' }, { agentId: '' }])(
    'refuses the target %j, and says nothing of a lost conversation',
    async target => {
      const conversation = await workshop.conversation();
      await expect(workshop.open(conversation, target)).rejects.toMatchObject({
        code: 'PROVIDER_REFUSED',
        gone: false,
      });
      expect((await workshop.readConversation(conversation)).status).toBe('pending');
    },
  );

  it('clears an assigned agent bot', async () => {
    const conversation = await workshop.conversation();
    await workshop.farSide.call(
      'POST',
      `${workshop.account}/conversations/${conversation.conversationId}/assignments`,
      workshop.admin,
      { assignee_id: workshop.access.settings['agentBotId'], assignee_type: 'AgentBot' },
    );
    expect((await provider().readConversation(conversation, signal())).agent).toBeNull();
    await provider().returnToBot(conversation, signal());
    expect((await workshop.readConversation(conversation)).meta.assignee).toBeUndefined();
  });
});

describe('when BotAgent1 was demoted', () => {
  beforeEach(() => workshop.setRole(workshop.access.settings['botUserId'], 'agent'));

  it("end-users' messages still arrive, and a handoff assigns nobody", async () => {
    const conversation = await workshop.conversation();
    await workshop.post(conversation, 'hello');
    await workshop.open(conversation);
    await workshop.setRole(workshop.access.settings['botUserId'], 'administrator');
    expect((await workshop.messages(conversation)).map(({ content }) => content)).toEqual(['hello']);
    const { status, meta } = await workshop.readConversation(conversation);
    expect([status, meta.assignee]).toEqual(['open', undefined]);
  });

  it.each<[string, (conversation: ConversationAccess) => Promise<unknown>]>([
    ['reading forward', c => provider().listMessages({ conversation: c, after: null }, signal())],
    ['reading the state', c => provider().readConversation(c, signal())],
    ['holding for the bot', c => provider().returnToBot(c, signal())],
    ['making an inbox', () => workshop.ensureInbox()],
  ])('%s says so', async (_what, act) => {
    const conversation = await workshop.conversation();
    await expect(act(conversation)).rejects.toMatchObject({
      code: 'PROVIDER_AUTH',
      message: expect.stringMatching(/BotAgent1.*administrator/),
    });
  });
});

it('names the AgentBot when its token is no longer valid', async () => {
  const conversation = await workshop.conversation();
  await workshop.farSide.call(
    'DELETE',
    `${workshop.account}/agent_bots/${workshop.access.settings['agentBotId']}`,
    workshop.admin,
  );
  await expect(workshop.post(conversation, 'hello')).rejects.toMatchObject({
    code: 'PROVIDER_AUTH',
    message: expect.stringContaining('the AgentBot'),
  });
});

it('names a suspended account', async () => {
  const conversation = await workshop.conversation();
  await workshop.farSide.platform('PATCH', `/accounts/${workshop.access.externalId}`, { status: 'suspended' });
  await expect(workshop.post(conversation, 'hello')).rejects.toMatchObject({
    code: 'PROVIDER_AUTH',
    message: expect.stringContaining('suspended'),
  });
});

it('asks for the rest of the setup when it stopped halfway', async () => {
  const { agentBotToken: _gone, ...credentials } = workshop.access.credentials;
  await expect(provider().listTeams({ ...workshop.access, credentials }, signal())).rejects.toMatchObject({
    code: 'PROVIDER_AUTH',
  });
});

describe('inboxes', () => {
  const shown = (id: string) => workshop.farSide.get(`${workshop.account}/inboxes/${id}`, workshop.admin);

  it('disturb nobody by themselves', async () => {
    expect(await shown(workshop.inbox.externalId)).toMatchObject({
      name: 'Shop bot',
      channel_type: 'Channel::Api',
      greeting_enabled: false,
      lock_to_single_conversation: false,
      enable_auto_assignment: false,
    });
  });

  it('follow our address and get their AgentBot back', async () => {
    await workshop.farSide.call(
      'POST',
      `${workshop.account}/inboxes/${workshop.inbox.externalId}/set_agent_bot`,
      workshop.admin,
      { agent_bot: null },
    );
    workshop.access = { ...workshop.access, webhookUrl: 'https://support.example.com/webhooks/1/secret' };
    expect((await workshop.ensureInbox('Shop bot', workshop.inbox)).externalId).toBe(workshop.inbox.externalId);
    expect((await shown(workshop.inbox.externalId)).webhook_url).toBe('https://support.example.com/webhooks/1/secret');
    const conversation = await workshop.conversation();
    await provider().resolve(conversation, signal());
    await workshop.post(conversation, 'one more thing');
    expect((await workshop.readConversation(conversation)).status).toBe('pending');
  });

  it('keep an address when we have none', async () => {
    workshop.access = { ...workshop.access, webhookUrl: 'https://support.example.com/webhooks/1/secret' };
    const inbox = await workshop.ensureInbox();
    workshop.access = { ...workshop.access, webhookUrl: '' };
    await workshop.ensureInbox('Renamed', inbox);
    expect(await shown(inbox.externalId)).toMatchObject({
      name: 'Renamed',
      webhook_url: 'https://support.example.com/webhooks/1/secret',
    });
  });

  it('that were deleted in Chatwoot are created again', async () => {
    await workshop.farSide.call('DELETE', `${workshop.account}/inboxes/${workshop.inbox.externalId}`, workshop.admin);
    await workshop.double.settled();
    const again = await workshop.ensureInbox('Shop bot', workshop.inbox);
    expect(again.externalId).not.toBe(workshop.inbox.externalId);
    expect((await shown(again.externalId)).name).toBe('Shop bot');
  });

  it.each([
    ['4.10', null],
    ['4.14', expect.stringMatching(/^\w{24}$/)],
  ] as const)('of Chatwoot %s remember what signs their webhooks', async (version, webhookSecret) => {
    await workshop.stop();
    workshop = await ChatwootFixture.ready({ version });
    expect(workshop.inbox.providerData).toEqual({ inboxIdentifier: expect.any(String), webhookSecret });
    expect((await workshop.ensureInbox('Shop bot', workshop.inbox)).providerData).toEqual(workshop.inbox.providerData);
  });
});
