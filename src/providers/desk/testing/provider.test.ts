import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { desk } from '..';
import { DESK_MIGRATIONS } from './database';
import { openStage, to, type DeskStage } from './stand';

describe('the desk as a provider', () => {
  let stage: DeskStage;
  beforeAll(async () => {
    stage = await openStage();
  });
  afterEach(() => {
    stage.world.between = {};
  });
  afterAll(() => stage.world.stop());

  const said = async (conversation: { conversationId: string }) =>
    (await stage.call({ path: `/api/conversations/${conversation.conversationId}` })).body.messages
      .filter((message: any) => message.kind === 'SPEECH')
      .map((message: any) => message.text);

  it('shows a message once when eight replicas post it at once', async () => {
    const conversation = await stage.newConversation();
    const id = randomUUID();
    const ids = await Promise.all(Array.from({ length: 8 }, () => stage.says(conversation, 'BOT', 'once', id)));
    expect(new Set(ids).size).toBe(1);
    expect(await said(conversation)).toEqual(['once']);
  });

  it('lists the conversations of the account that changed lately, newest first, page by page', async () => {
    const { inbox } = await stage.enable();
    const conversations = await Promise.all(Array.from({ length: 101 }, () => stage.newConversation(inbox)));
    await stage.newConversation();
    stage.world.ahead = 3_600_000;
    await stage.says(conversations[7]!, 'END_USER', 'still there?');
    const changed = (withinMs: number, page: number) =>
      stage.provider.listChangedConversations!({ access: inbox.account, withinMs, page }, stage.signal());
    expect(await changed(60_000, 1)).toEqual({ conversationIds: [conversations[7]!.conversationId], hasMore: false });
    const [first, second] = [await changed(7_200_000, 1), await changed(7_200_000, 2)];
    stage.world.ahead = 0;
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
    const { inbox, contactId, sessionId } = await stage.newConversation();
    await stage.world.database.query('delete from desk_conversation where session_id = $1', [sessionId]);
    const opened = await Promise.all(
      Array.from({ length: 8 }, () =>
        stage.provider.openConversation({ inbox, contactId, sessionId, mayExist: false }, stage.signal()),
      ),
    );
    expect(new Set(opened).size).toBe(1);
  });

  it('loses nothing and blocks nobody when visitor, bot and two agents write and act at once', async () => {
    const conversation = await stage.waiting();
    const deeds = Array.from({ length: 12 }, (_, index) => [
      stage.says(conversation, 'END_USER', `visitor ${index}`),
      stage.says(conversation, 'BOT', `bot ${index}`),
      ...['Ada', 'Bob'].map(name =>
        stage.call({
          ...to(conversation, 'messages', { text: `${name} ${index}`, visibility: 'PUBLIC' }),
          agent: stage.agents[name]!,
        }),
      ),
      stage.call(to(conversation, 'assign', { agentId: stage.agents[index % 2 ? 'Ada' : 'Bob'] })),
    ]).flat();
    for (const answer of await Promise.all(deeds))
      if (typeof answer === 'object') expect(answer.status).toBeLessThan(300);
    const expected = Array.from({ length: 12 }, (_, index) =>
      ['visitor', 'bot', 'Ada', 'Bob'].map(who => `${who} ${index}`),
    ).flat();
    expect((await said(conversation)).sort()).toEqual(expected.sort());
  });

  it('ends at its time limit while the conversation is locked, and reports an unknown outcome', async () => {
    const conversation = await stage.newConversation();
    const client = await stage.world.database.pool.connect();
    try {
      await client.query('begin');
      await client.query('select from desk_conversation where id = $1 for update', [conversation.conversationId]);
      const over = new AbortController();
      const posting = stage.provider.resolve(conversation, over.signal);
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
    const conversation = await stage.newConversation();
    const error = Object.assign(new Error('from the database'), code === undefined ? {} : { code });
    stage.world.between = {
      before: () => {
        throw error;
      },
    };
    await expect(stage.provider.resolve(conversation, stage.signal())).rejects.toMatchObject({ code: expected });
  });

  it("accepts an account only with the core's own id of it", async () => {
    const others = await stage.enable();
    const mixed = { ...others.inbox.account, accountId: stage.accountId };
    await expect(stage.provider.listAgents(mixed, stage.signal())).rejects.toMatchObject({
      code: 'PROVIDER_REFUSED',
      gone: true,
    });
  });

  it('keeps the whole of a too long text in a file, and posts its beginning', async () => {
    const conversation = await stage.newConversation();
    const { maxTextLength } = await stage.provider.readCapabilities(stage.inbox.account, stage.signal());
    const text = 'x'.repeat(maxTextLength + 1);
    await stage.says(conversation, 'BOT', text);
    const {
      rows: [kept],
    } = await stage.world.database.query(
      `select f.name, f.content, length(m.text) as length from desk_attachment f join desk_message m on m.id = f.message_id where m.conversation_id = $1`,
      [conversation.conversationId],
    );
    expect([kept.name, kept.content.toString(), kept.length]).toEqual(['message.txt', text, maxTextLength]);
  });

  it('does not open a conversation for a contact of another session', async () => {
    const [one, other] = [await stage.newConversation(), await stage.newConversation()];
    await expect(
      stage.provider.openConversation(
        { inbox: one.inbox, contactId: other.contactId, sessionId: randomUUID(), mayExist: false },
        stage.signal(),
      ),
    ).rejects.toMatchObject({ code: 'PROVIDER_REFUSED' });
  });

  it('shows the visitor as the core last knew them', async () => {
    const { inbox, sessionId, conversationId } = await stage.newConversation();
    const endUser = {
      externalId: null,
      name: 'Eve Newname',
      email: 'eve@example.com',
      phone: '+43 1',
      locale: 'de-AT',
      attributes: { plan: 'gold' },
    };
    await stage.provider.ensureContact(inbox, sessionId, endUser, stage.signal());
    expect((await stage.call({ path: `/api/conversations/${conversationId}` })).body.conversation.contact).toEqual({
      name: 'Eve Newname',
      email: 'eve@example.com',
      phone: '+43 1',
      locale: 'de-AT',
      attributes: { plan: 'gold' },
    });
  });

  it('keeps nothing in memory: another instance continues', async () => {
    const conversation = await stage.waiting();
    await stage.call(to(conversation, 'messages', { text: 'hello', visibility: 'PUBLIC' }));
    const other = desk.create(stage.world.host);
    expect(await other.listMessages({ conversation, after: null }, stage.signal())).toEqual(
      await stage.provider.listMessages({ conversation, after: null }, stage.signal()),
    );
  });

  it('drops its tables again', async () => {
    const own = await openStage();
    try {
      const source = await new DataSource({
        type: 'postgres',
        url: own.world.database.url,
        migrations: DESK_MIGRATIONS,
        migrationsTableName: 'desk_test_migration',
        poolSize: 1,
      }).initialize();
      for (const _each of DESK_MIGRATIONS) await source.undoLastMigration();
      await source.destroy();
      const { rows } = await own.world.database.query(
        `select table_name from information_schema.tables where table_name like 'desk\\_%'`,
      );
      expect(rows.map(row => row.table_name)).toEqual(['desk_test_migration']);
    } finally {
      await own.world.stop();
    }
  });
});
