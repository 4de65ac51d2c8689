import { randomUUID } from 'node:crypto';
import { createChatwootWorld, ORG, type ChatwootWorld, type ChatwootWorldOptions } from './chatwoot-world';
import { runFullScan } from '../../../core/flows/from-provider/full-scan';
import { isUuid } from '../../../core/ids';
import type { ChatwootVersion } from './double';

/** CONTRACT §9, number by number: how this service handles each, on all releases of the double. */
const VERSIONS: readonly ChatwootVersion[] = ['3.16', '4.10', '4.14'];
const scope = { organizationId: ORG };
const signal = () => AbortSignal.timeout(170_000);

describe.each(VERSIONS)('Chatwoot %s', version => {
  let world: ChatwootWorld;
  const open = async (options: ChatwootWorldOptions = {}): Promise<void> => {
    world = await createChatwootWorld({ version, ...options });
  };
  afterEach(() => world.close());

  const contents = async (sessionId: string): Promise<unknown[]> =>
    (await world.messages(sessionId)).map(({ content }) => content);
  const inboxPath = () => `${world.accountPath}/inboxes/${world.inbox.externalId}`;
  const sentTo = (path: RegExp) => world.double.requests().filter(request => path.test(request.path));

  it('§9.1 a lost role, which Chatwoot reports with 401 or an empty list, is reported as such and not as a lost conversation', async () => {
    await open();
    const sessionId = await world.handedOver();
    await world.setRole((await world.stores.setup.findAccount(ORG, world.account.id))!.settings['botUserId'], 'agent');
    await expect(world.read(sessionId)).rejects.toMatchObject({
      code: 'PROVIDER_AUTH',
      message: expect.stringMatching(/BotAgent1.*administrator/),
    });
    expect(await world.session(sessionId)).toMatchObject({ conversationId: expect.any(String), control: 'NONE' });
    const {
      inbox: { account },
    } = await world.access(sessionId);
    await expect(
      world.provider.listChangedConversations!({ access: account, withinMs: 3_600_000, page: 1 }, signal()),
    ).rejects.toMatchObject({ code: 'PROVIDER_AUTH' });
  });

  it('§9.2 assigning an unknown agent, to which Chatwoot responds 200, is reported in a note, and the conversation is open to all; team and agent together are both set', async () => {
    await open();
    const [gone, there] = [await world.addPerson('Gone'), await world.addPerson('There')];
    const team = await world.addTeam('billing', [there]);
    await world.flows.refreshDirectory(scope, world.account.id);
    const sessionId = await world.openMirroredSession();
    const { handoff } = await world.ask(sessionId, { target: { team: null, agent: String(gone) } });
    await world.farSide.platform('DELETE', `/accounts/${world.account.externalId}/account_users`, { user_id: gone });
    expect(await world.deliverAll()).toEqual([]);
    expect((await world.handoff(handoff.id)).state).toBe('QUEUED');
    const { status, meta } = await world.conversation(sessionId);
    expect([status, meta.assignee ?? null]).toEqual(['open', null]);
    expect((await world.messages(sessionId)).at(-1)).toMatchObject({
      private: true,
      content: expect.stringMatching(/Agent: Gone$/),
    });

    const other = await world.openMirroredSession();
    await world.provider.openForAgents(
      { conversation: await world.access(other), teamId: String(team.id), agentId: String(there), priority: null },
      signal(),
    );
    expect((await world.conversation(other)).meta).toMatchObject({ team: { id: team.id }, assignee: { id: there } });
  });

  it('§9.3 opening assigns nobody, not even with BotAgent1 demoted to agent', async () => {
    await open();
    const sessionId = await world.openMirroredSession();
    await world.setRole((await world.stores.setup.findAccount(ORG, world.account.id))!.settings['botUserId'], 'agent');
    await world.ask(sessionId);
    expect(await world.deliverAll()).toEqual([]);
    await world.setRole(
      (await world.stores.setup.findAccount(ORG, world.account.id))!.settings['botUserId'],
      'administrator',
    );
    const { status, meta } = await world.conversation(sessionId);
    expect([status, meta.assignee ?? null]).toEqual(['open', null]);
  });

  it('§9.4 what agents set on a conversation survives a handoff, and what they replace of ours is not needed', async () => {
    await open();
    const sessionId = await world.openMirroredSession();
    await world.act(sessionId, 'POST', '/custom_attributes', { custom_attributes: { order: 'A-17' } });
    await world.act(sessionId, 'POST', '/labels', { labels: ['vip'] });
    const { handoff } = await world.ask(sessionId);
    await world.deliverAll();
    await world.flows.endHandoff(scope, {
      handoffId: handoff.id,
      sessionId: null,
      reason: 'BOT_CANCELLED',
      idempotencyKey: 'end',
    });
    await world.deliverAll();
    const shown = await world.conversation(sessionId);
    expect([shown.custom_attributes, shown.labels, shown.status]).toEqual([{ order: 'A-17' }, ['vip'], 'pending']);
    const access = await world.access(sessionId);
    expect(await world.provider.openConversation({ ...access, mayExist: true }, signal())).toBe(access.conversationId);
  });

  it('§9.5 webhooks lost, doubled and reordered, notes and our own posts among them, give each public message once and in order', async () => {
    await open();
    const alice = await world.addPerson('Alice');
    const sessionId = await world.handedOver();
    await world.runDueSyncs();
    const acting = await world.acting(alice, sessionId);
    world.double.dropWebhooks({ event: 'message_created', times: 1 });
    await acting.reply('lost');
    await world.double.whenIdle();
    world.double.duplicateWebhooks({});
    world.double.reorderWebhooks(2);
    await acting.note('between us');
    await acting.reply('second');
    await acting.reply('third');
    await acting.resolve();
    world.double.reorderWebhooks(0);
    for (let round = 0; round < 3; round++) await world.runDueSyncs();
    expect((await world.collected(sessionId)).filter(line => line.startsWith('AGENT'))).toEqual([
      'AGENT: lost',
      'AGENT: second',
      'AGENT: third',
    ]);
    expect(world.double.deliveries().length).toBeGreaterThan(0);
  });

  it('§9.6 an event without account, with null for its changes or without status still leads to the right conversation', async () => {
    await open();
    const alice = await world.addPerson('Alice');
    const [sessionId, other] = [await world.handedOver(), await world.handedOver()];
    await world.runDueSyncs();
    await world.double.whenIdle();
    await (await world.acting(alice, sessionId)).resolve();
    await world.double.whenIdle();
    const changed = world.double
      .deliveries()
      .filter(({ event }) => event === 'conversation_status_changed')
      .at(-1)!;
    expect(JSON.parse(changed.body)).toMatchObject({ changed_attributes: null });
    expect('account' in JSON.parse(changed.body)).toBe(version === '4.14');
    await world.runDueSyncs();
    expect([await world.liveHandoff(sessionId), (await world.liveHandoff(other))?.state]).toEqual([null, 'QUEUED']);

    const acting = await world.acting(alice, other);
    const messageId = await acting.reply('said too soon');
    await world.runDueSyncs();
    await acting.deleteMessage(messageId);
    await world.double.whenIdle();
    const updated = world.double
      .deliveries()
      .filter(({ event }) => event === 'message_updated')
      .at(-1)!;
    expect(JSON.parse(updated.body)).not.toHaveProperty('status');
    await world.runDueSyncs();
    expect((await world.collected(other)).slice(-1)).toEqual(['MESSAGE_DELETED']);
    expect(await world.collected(sessionId)).not.toContain('MESSAGE_DELETED');
  });

  it("§9.7 an agent's message that our outage marked as failed reaches the end-user, and the mark is removed where the API can", async () => {
    await open();
    const alice = await world.addPerson('Alice');
    const sessionId = await world.handedOver();
    await world.runDueSyncs();
    world.setDown(true);
    await (await world.acting(alice, sessionId)).reply('Hello from Alice');
    await (await world.acting(alice, sessionId)).note('a note of Alice');
    await world.user(sessionId, 'and I am Eve');
    await world.deliverAll();
    await world.double.whenIdle();
    const lines = ['Hello from Alice', 'a note of Alice', 'and I am Eve'];
    const statuses = async () =>
      (await world.messages(sessionId))
        .filter(({ content }) => lines.includes(content))
        .map(({ status }) => status === 'failed');
    expect(await statuses()).toEqual([true, true, true]);
    world.setDown(false);
    await world.stores.scans.requestFullScans();
    await runFullScan(world.deps, new AbortController().signal);
    await world.runDueSyncs();
    expect((await world.collected(sessionId)).filter(line => line.startsWith('AGENT'))).toEqual([
      'AGENT: Hello from Alice',
    ]);
    expect(await statuses()).toEqual(version === '3.16' ? [true, true, true] : [false, false, false]);
    expect((await contents(sessionId)).filter(content => content === 'and I am Eve')).toHaveLength(1);
  });

  it('§9.8 our AgentBot has no address that could fail: while our service is down, no conversation is opened by Chatwoot', async () => {
    await open();
    world.setDown(true);
    const sessionId = await world.openMirroredSession('one', 'two');
    await world.double.whenIdle();
    expect(
      world.double
        .deliveries()
        .filter(({ event }) => event.startsWith('message'))
        .every(({ receiver }) => receiver !== 'agent_bot'),
    ).toBe(true);
    expect((await world.conversation(sessionId)).status).toBe('pending');
  });

  it('§9.9 what an end-user writes after the agent has resolved waits for the bot, and notifies nobody', async () => {
    await open();
    const alice = await world.addPerson('Alice');
    const sessionId = await world.handedOver();
    await (await world.acting(alice, sessionId)).resolve();
    await world.read(sessionId);
    await world.user(sessionId, 'thanks');
    expect(await world.deliverAll()).toEqual([]);
    expect((await world.conversation(sessionId)).status).toBe('pending');
    expect(await world.session(sessionId)).toMatchObject({ control: 'BOT', liveHandoffId: null });
  });

  it('§9.10 a message that somebody "edits" does not change, and a repeat of ours with another text keeps the first', async () => {
    await open();
    const alice = await world.addPerson('Alice');
    const sessionId = await world.handedOver();
    const id = await (await world.acting(alice, sessionId)).reply('as it was');
    await world.farSide
      .call(
        'PATCH',
        `${world.accountPath}/conversations/${(await world.session(sessionId)).conversationId}/messages/${id}`,
        world.admin,
        { content: 'edited' },
      )
      .catch((error: Error) => {
        if (version !== '3.16') throw error;
      });
    world.double.clearRequests();
    await world.read(sessionId);
    expect(await world.collected(sessionId)).toContain('AGENT: as it was');
    const message = {
      id: randomUUID(),
      author: 'BOT' as const,
      visibility: 'PUBLIC' as const,
      attachments: [],
      authorName: null,
      createdAt: new Date().toISOString(),
    };
    const conversation = await world.access(sessionId);
    const first = await world.provider.postMessage(
      { conversation, message: { ...message, text: 'first' }, mayExist: false, lookupAfter: null },
      signal(),
    );
    expect(
      await world.provider.postMessage(
        { conversation, message: { ...message, text: 'second' }, mayExist: true, lookupAfter: null },
        signal(),
      ),
    ).toBe(first);
    expect(await contents(sessionId)).toEqual(expect.arrayContaining(['first']));
    expect(sentTo(/\/messages\/\d+$/)).toEqual([]);
  });

  it("§9.11 a deleted post of ours is still ours without its marker; an agent's deleted one is reported to the runtime without the server's text", async () => {
    await open();
    const alice = await world.addPerson('Alice');
    const sessionId = await world.handedOver();
    const acting = await world.acting(alice, sessionId);
    const id = await acting.reply('a wrong price');
    await world.runDueSyncs();
    await acting.deleteMessage(id);
    await acting.deleteMessage((await world.messages(sessionId)).find(({ content }) => content === 'hello').id);
    await world.runDueSyncs();
    const collected = await world.collected(sessionId);
    expect(collected).toEqual(expect.arrayContaining(['AGENT: a wrong price', 'MESSAGE_DELETED']));
    expect(collected.join()).not.toContain('This message was deleted');
    expect(await world.liveHandoff(sessionId)).toMatchObject({ state: 'ACTIVE' });
  });

  // 3.16 has no call that deletes a conversation.
  it.each(version === '3.16' ? ['contact', 'inbox'] : ['conversation', 'contact', 'inbox'])(
    '§9.12 a %s that was deleted without an event is found, the handoff ends, and the next message creates a new conversation',
    async what => {
      await open();
      const sessionId = await world.handedOver();
      const { handoff } = await world.ask(sessionId);
      const { contactId, conversationId } = await world.session(sessionId);
      const path = {
        conversation: `${world.accountPath}/conversations/${conversationId}`,
        contact: `${world.accountPath}/contacts/${contactId}`,
        inbox: inboxPath(),
      }[what]!;
      await world.double.whenIdle();
      await world.farSide.call('DELETE', path, world.admin);
      await world.double.whenIdle();
      for (let tries = 0; tries < 200 && (await world.handoff(handoff.id)).state !== 'ENDED'; tries++)
        await world.read(sessionId);
      expect(await world.handoff(handoff.id)).toMatchObject({ state: 'ENDED', endReason: 'PROVIDER_LOST' });
      expect(await world.session(sessionId)).toMatchObject({ conversationId: null, control: 'BOT' });
      if (what === 'inbox') await world.enableAgain();
      await world.user(sessionId, 'still there?');
      expect(await world.deliverAll()).toEqual([]);
      expect(await contents(sessionId)).toContain('still there?');
    },
  );

  it("§9.13 we stop below the conversation's limit per minute, so that the agent can always reply", async () => {
    await open({ messagesPerMinute: 200 });
    const alice = await world.addPerson('Alice');
    const sessionId = await world.handedOver();
    for (let n = 0; n < 150; n++) await world.user(sessionId, `line ${n}`);
    expect(await world.deliverAll()).toEqual(['PROVIDER_UNAVAILABLE']);
    const acting = await world.acting(alice, sessionId);
    for (let n = 0; n < 50; n++) await acting.reply(`answer ${n}`);
    // A minute later the rest follows, in order and once.
    world.time.aheadMs += 61_000;
    for (let rounds = 0; rounds < 3; rounds++) {
      await world.deliverAll();
      world.time.aheadMs += 61_000;
    }
    expect((await contents(sessionId)).filter(text => String(text).startsWith('line '))).toEqual(
      Array.from({ length: 150 }, (_, n) => `line ${n}`),
    );
  });

  it("§9.14 the bot's lines are an AgentBot's and no person's first reply", async () => {
    await open();
    const sessionId = await world.openMirroredSession();
    await world.bot(sessionId, 'I am the bot');
    await world.deliverAll();
    expect((await world.messages(sessionId)).at(-1).sender).toMatchObject({ type: 'agent_bot', name: 'BotAgent1' });
    expect((await world.conversation(sessionId)).first_reply_created_at).toBe(0);
  });

  it('§9.15 braces arrive unchanged: of the end-user, of the bot, of the context note', async () => {
    await open();
    const text = 'Dear {{contact.name}}, {{nothing}} {% if x %}y{% endif %} `{{code}}`';
    const sessionId = await world.openMirroredSession(text);
    await world.bot(sessionId, text);
    await world.ask(sessionId, { summary: text });
    expect(await world.deliverAll()).toEqual([]);
    expect(await contents(sessionId)).toEqual([text, text, `Handed over by the bot.\nSummary: ${text}`]);
  });

  it("§9.16 an end-user's messages are incoming, one session has one contact inbox, and an empty message of an agent is not skipped silently", async () => {
    await open();
    const alice = await world.addPerson('Alice');
    const sessionId = await world.handedOver();
    expect((await world.messages(sessionId))[0]).toMatchObject({ content: 'hello', message_type: 0 });
    const { contactId } = await world.session(sessionId);
    expect(
      (await world.farSide.get(`${world.accountPath}/contacts/${contactId}`, world.admin)).payload.contact_inboxes,
    ).toHaveLength(1);
    await (await world.acting(alice, sessionId)).reply('');
    await world.runDueSyncs();
    expect(await world.deliverAll()).toEqual([]);
    expect((await world.collected(sessionId)).filter(line => line.startsWith('AGENT'))).toEqual([]);
    expect((await world.messages(sessionId)).at(-1)).toMatchObject({
      private: true,
      content: expect.stringContaining('not shown to the end-user'),
    });
  });

  it('§9.17 a team whose name Chatwoot lower-cased is found by its number', async () => {
    await open();
    const team = await world.addTeam('Billing');
    expect(team.name).toBe('billing');
    const sessionId = await world.handedOver({ target: { team: String(team.id), agent: null } });
    expect((await world.conversation(sessionId)).meta.team).toMatchObject({ id: team.id });
  });

  it('§9.18 two concurrent attempts create one contact, and a post that may exist is not posted twice', async () => {
    await open();
    const { id } = await world.open();
    const inbox = (await world.access(await world.openMirroredSession())).inbox;
    const endUser = { externalId: null, name: 'Eve', email: null, phone: null, locale: null, attributes: {} };
    const contacts = await Promise.all(
      Array.from({ length: 8 }, () => world.provider.ensureContact(inbox, id, endUser, signal())),
    );
    expect(new Set(contacts).size).toBe(1);
    const opening = { inbox, contactId: contacts[0]!, sessionId: id };
    const raced = await Promise.all(
      Array.from({ length: 4 }, () => world.provider.openConversation({ ...opening, mayExist: false }, signal())),
    );
    const found = await Promise.all(
      Array.from({ length: 4 }, () => world.provider.openConversation({ ...opening, mayExist: true }, signal())),
    );
    expect(new Set(found)).toEqual(new Set([String(Math.min(...raced.map(Number)))]));

    const sessionId = await world.openMirroredSession();
    await world.user(sessionId, 'once');
    world.double.failNext({ mode: 'applyThenCut', match: { method: 'POST', path: /\/messages$/ } });
    expect(await world.deliverAll()).toEqual(['PROVIDER_UNAVAILABLE']);
    expect(await world.deliverAll()).toEqual([]);
    expect(await contents(sessionId)).toEqual(['hello', 'once']);
  });

  it('§9.19 an error that hides a stored write causes no duplicate', async () => {
    await open();
    const sessionId = await world.openMirroredSession();
    await world.user(sessionId, 'once');
    await world.double.outage('redis');
    expect(await world.deliverAll()).toEqual(['PROVIDER_UNAVAILABLE']);
    await world.double.outage(null);
    expect(await world.deliverAll()).toEqual([]);
    expect(await contents(sessionId)).toEqual(['hello', 'once']);
  });

  it('§9.20 a contact is looked up by the exact filter, never by the substring search', async () => {
    await open();
    const inbox = (await world.access(await world.openMirroredSession())).inbox;
    const endUser = { externalId: null, name: 'Eve', email: null, phone: null, locale: null, attributes: {} };
    const twelve = await world.provider.ensureContact(inbox, 'session-12', endUser, signal());
    const one = await world.provider.ensureContact(inbox, 'session-1', endUser, signal());
    expect(await world.provider.ensureContact(inbox, 'session-1', endUser, signal())).toBe(one);
    expect(one).not.toBe(twelve);
    expect(sentTo(/contacts\/search/)).toEqual([]);
    expect(sentTo(/contacts\/filter/)).toHaveLength(1);
  });

  it('§9.21 the token that the platform returns for a known e-mail is stored nowhere', async () => {
    await open();
    const { id } = await world.farSide.platform('POST', '/users', {
      name: 'Ada Owner',
      email: 'ada@owners.example',
      password: 'Passw0rd!x',
    });
    const { access_token: token } = await world.farSide.platform('GET', `/users/${id}`);
    const account = await world.stores.setup.findAccount(ORG, world.account.id);
    expect(JSON.stringify(account)).not.toContain(token);
    expect(world.logged.join()).not.toContain(token);
    const bots = await world.farSide.get(`${world.accountPath}/agent_bots`, world.admin);
    expect(bots.map(({ outgoing_url }: any) => outgoing_url ?? null)).toEqual([null]);
  });

  it('§9.22 with nobody online the handoff waits in the queue for any agent', async () => {
    await open();
    const alice = await world.addPerson('Alice');
    const sessionId = await world.handedOver();
    await world.read(sessionId);
    expect(await world.liveHandoff(sessionId)).toMatchObject({ state: 'QUEUED', agent: null });
    await (await world.acting(alice, sessionId)).assignSelf();
    await world.read(sessionId);
    expect(await world.liveHandoff(sessionId)).toMatchObject({ state: 'ASSIGNED', agent: { name: 'Alice' } });
  });

  it('§9.23 an invalid webhook address set by somebody else is corrected, and messages sent meanwhile are not lost', async () => {
    await open();
    const alice = await world.addPerson('Alice');
    const sessionId = await world.handedOver();
    await world.farSide.call('PATCH', inboxPath(), world.admin, { channel: { webhook_url: 'not a url' } });
    await (await world.acting(alice, sessionId)).reply('into the void');
    await world.double.whenIdle();
    await world.enableAgain();
    expect((await world.farSide.get(inboxPath(), world.admin)).webhook_url).toMatch(
      /^http:\/\/127\.0\.0\.1:\d+\/webhooks\//,
    );
    await world.read(sessionId);
    expect(await world.collected(sessionId)).toContain('AGENT: into the void');
  });

  it("§9.24 the visitor's live token, which is in every payload, is neither stored nor logged", async () => {
    await open();
    const alice = await world.addPerson('Alice');
    const sessionId = await world.handedOver();
    await (await world.acting(alice, sessionId)).reply('hi');
    await world.runDueSyncs();
    const tokens = [
      ...new Set(
        world.double
          .deliveries()
          .flatMap(({ body }) => [...body.matchAll(/"pubsub_token":"([^"]+)"/g)].map(hit => hit[1]!)),
      ),
    ];
    expect(tokens.length).toBeGreaterThan(0);
    const { rows } = await world.pool.query(`
      select coalesce(string_agg(t, ' '), '') as stored from (
        select s::text as t from session s union all select m::text from message m union all select e::text from event e
        union all select d::text from delivery d union all select h::text from handoff h) as everything`);
    for (const token of tokens) {
      expect(rows[0].stored).not.toContain(token);
      expect(world.logged.join()).not.toContain(token);
    }
    expect(rows[0].stored).toContain('hi');
  });

  it('§9.25 nothing that we do by ourselves deletes a person: repeated setup, an omitted owner, an ending handoff', async () => {
    await open();
    const bea = await world.addPerson('Bea');
    const sessionId = await world.handedOver();
    world.double.clearRequests();
    await world.flows.enableSupport(scope, {
      provider: 'chatwoot',
      name: 'Acme',
      baseUrl: world.double.baseUrl,
      settings: {},
      credentials: {},
      owners: [],
    });
    await world.enableAgain();
    await world.flows.endHandoff(scope, {
      handoffId: null,
      sessionId,
      reason: 'OPERATOR_ENDED',
      idempotencyKey: 'end',
    });
    await world.deliverAll();
    expect(world.double.requests().filter(({ method }) => method === 'DELETE')).toEqual([]);
    expect(isUuid(sessionId)).toBe(true);
    expect((await world.farSide.platform('GET', `/users/${bea}`)).id).toBe(bea);

    // Removing an agent does not delete the user either, unless `deletePerson` is set.
    await world.flows.refreshDirectory(scope, world.account.id);
    await world.flows.removeAgent(scope, { accountId: world.account.id, agentId: String(bea), deletePerson: false });
    expect(
      (await world.farSide.get(`${world.accountPath}/agents`, world.admin)).map(({ id }: { id: number }) => id),
    ).not.toContain(bea);
    expect((await world.farSide.platform('GET', `/users/${bea}`)).id).toBe(bea);
  });
});
