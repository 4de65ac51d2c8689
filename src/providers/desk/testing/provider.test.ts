import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { desk } from '..';
import { createEmptyDatabase } from '../../../testing/database';
import { InitialDeskSchema1796120000001 } from '../migrations/1796120000001-InitialDeskSchema';
import { openDesk, to, type DeskFixture } from './stand';

describe('the desk as a provider', () => {
  let fixture: DeskFixture;
  beforeAll(async () => {
    fixture = await openDesk();
  });
  afterEach(() => {
    fixture.world.between = {};
  });
  afterAll(() => fixture.world.stop());

  const said = async (conversation: { conversationId: string }) =>
    (await fixture.call({ path: `/api/conversations/${conversation.conversationId}` })).body.messages
      .filter((message: any) => message.kind === 'SPEECH')
      .map((message: any) => message.text);

  it('shows a message once when eight replicas post it at once', async () => {
    const conversation = await fixture.newConversation();
    const id = randomUUID();
    const ids = await Promise.all(Array.from({ length: 8 }, () => fixture.says(conversation, 'BOT', 'once', id)));
    expect(new Set(ids).size).toBe(1);
    expect(await said(conversation)).toEqual(['once']);
  });

  it('lists the conversations of the account that changed lately, newest first, page by page', async () => {
    const { inbox } = await fixture.enable();
    const conversations = await Promise.all(Array.from({ length: 101 }, () => fixture.newConversation(inbox)));
    await fixture.newConversation();
    fixture.world.ahead = 3_600_000;
    await fixture.says(conversations[7]!, 'END_USER', 'still there?');
    const changed = (withinMs: number, page: number) =>
      fixture.provider.listChangedConversations!({ access: inbox.account, withinMs, page }, fixture.signal());
    expect(await changed(60_000, 1)).toEqual({ conversationIds: [conversations[7]!.conversationId], hasMore: false });
    const [first, second] = [await changed(7_200_000, 1), await changed(7_200_000, 2)];
    fixture.world.ahead = 0;
    expect([first.conversationIds[0], first.hasMore, second.hasMore]).toEqual([
      conversations[7]!.conversationId,
      true,
      false,
    ]);
    expect([...first.conversationIds, ...second.conversationIds].sort()).toEqual(
      conversations.map(one => one.conversationId).sort(),
    );
  });

  it('opens one conversation when eight replicas ask at once', async () => {
    const { inbox, contactId, sessionId } = await fixture.newConversation();
    await fixture.world.database.query('delete from desk_conversation where session_id = $1', [sessionId]);
    const opened = await Promise.all(
      Array.from({ length: 8 }, () =>
        fixture.provider.openConversation({ inbox, contactId, sessionId, mayExist: false }, fixture.signal()),
      ),
    );
    expect(new Set(opened).size).toBe(1);
  });

  it('loses nothing and blocks nobody when visitor, bot and two agents write and act at once', async () => {
    const conversation = await fixture.waiting();
    const deeds = Array.from({ length: 12 }, (_, index) => [
      fixture.says(conversation, 'END_USER', `visitor ${index}`),
      fixture.says(conversation, 'BOT', `bot ${index}`),
      ...['Ada', 'Bob'].map(name =>
        fixture.call({
          ...to(conversation, 'messages', { text: `${name} ${index}`, visibility: 'PUBLIC' }),
          agent: fixture.agents[name]!,
        }),
      ),
      fixture.call(to(conversation, 'assign', { agentId: fixture.agents[index % 2 ? 'Ada' : 'Bob'] })),
    ]).flat();
    for (const answer of await Promise.all(deeds))
      if (typeof answer === 'object') expect(answer.status).toBeLessThan(300);
    const expected = Array.from({ length: 12 }, (_, index) =>
      ['visitor', 'bot', 'Ada', 'Bob'].map(who => `${who} ${index}`),
    ).flat();
    expect((await said(conversation)).sort()).toEqual(expected.sort());
  });

  it('ends at its time limit while the conversation is locked, and reports an unknown outcome', async () => {
    const conversation = await fixture.newConversation();
    const client = await fixture.world.database.pool.connect();
    try {
      await client.query('begin');
      await client.query('select from desk_conversation where id = $1 for update', [conversation.conversationId]);
      const over = new AbortController();
      const posting = fixture.provider.resolve(conversation, over.signal);
      over.abort();
      await expect(posting).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE', delivered: 'unknown' });
    } finally {
      await client.query('rollback');
      client.release();
    }
  });

  it.each<[string, string | undefined, string]>([
    ['a lost connection', 'ECONNRESET', 'PROVIDER_UNAVAILABLE'],
    ['a shutdown', '57P01', 'PROVIDER_UNAVAILABLE'],
    ['a deadlock', '40P01', 'PROVIDER_UNAVAILABLE'],
    ['a full pool', undefined, 'PROVIDER_UNAVAILABLE'],
    ['a mistake of its own', '42601', '42601'],
  ])('reports %s as the error that the core expects', async (_what, code, expected) => {
    const conversation = await fixture.newConversation();
    const error = Object.assign(new Error('from the database'), code === undefined ? {} : { code });
    fixture.world.between = {
      before: () => {
        throw error;
      },
    };
    await expect(fixture.provider.resolve(conversation, fixture.signal())).rejects.toMatchObject({ code: expected });
  });

  it("accepts an account only with the core's own id of it", async () => {
    const others = await fixture.enable();
    const mixed = { ...others.inbox.account, accountId: fixture.accountId };
    await expect(fixture.provider.listAgents(mixed, fixture.signal())).rejects.toMatchObject({
      code: 'PROVIDER_REFUSED',
      gone: true,
    });
  });

  it('keeps the whole of a too long text in a file, and posts its beginning', async () => {
    const conversation = await fixture.newConversation();
    const { maxTextLength } = await fixture.provider.readCapabilities(fixture.inbox.account, fixture.signal());
    const text = 'x'.repeat(maxTextLength + 1);
    await fixture.says(conversation, 'BOT', text);
    const {
      rows: [kept],
    } = await fixture.world.database.query(
      `select f.name, f.content, length(m.text) as length from desk_attachment f join desk_message m on m.id = f.message_id where m.conversation_id = $1`,
      [conversation.conversationId],
    );
    expect([kept.name, kept.content.toString(), kept.length]).toEqual(['message.txt', text, maxTextLength]);
  });

  it('does not open a conversation for a contact of another session', async () => {
    const [one, other] = [await fixture.newConversation(), await fixture.newConversation()];
    await expect(
      fixture.provider.openConversation(
        { inbox: one.inbox, contactId: other.contactId, sessionId: randomUUID(), mayExist: false },
        fixture.signal(),
      ),
    ).rejects.toMatchObject({ code: 'PROVIDER_REFUSED' });
  });

  it('shows the visitor as the core last knew them', async () => {
    const { inbox, sessionId, conversationId } = await fixture.newConversation();
    const endUser = {
      externalId: null,
      name: 'Eve Newname',
      email: 'eve@example.com',
      phone: '+43 1',
      locale: 'de-AT',
      attributes: { plan: 'gold' },
    };
    await fixture.provider.ensureContact(inbox, sessionId, endUser, fixture.signal());
    expect((await fixture.call({ path: `/api/conversations/${conversationId}` })).body.conversation.contact).toEqual({
      name: 'Eve Newname',
      email: 'eve@example.com',
      phone: '+43 1',
      locale: 'de-AT',
      attributes: { plan: 'gold' },
    });
  });

  it('keeps nothing in memory: another instance continues', async () => {
    const conversation = await fixture.waiting();
    await fixture.call(to(conversation, 'messages', { text: 'hello', visibility: 'PUBLIC' }));
    const other = desk.create(fixture.world.host);
    expect(await other.listMessages({ conversation, after: null }, fixture.signal())).toEqual(
      await fixture.provider.listMessages({ conversation, after: null }, fixture.signal()),
    );
  });

  it('needs no tables but its own, and drops them again', async () => {
    const own = await createEmptyDatabase();
    const source = new DataSource({ type: 'postgres', url: own.url, migrations: [InitialDeskSchema1796120000001] });
    try {
      await source.initialize();
      await source.runMigrations();
      await source.undoLastMigration();
      expect(
        await source.query("select table_name from information_schema.tables where table_name like 'desk\\_%'"),
      ).toEqual([]);
    } finally {
      await source.destroy();
      await own.drop();
    }
  });
});
