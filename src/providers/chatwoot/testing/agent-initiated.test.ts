import { createChatwootWorld, type ChatwootWorld } from './chatwoot-world';
import { runFullScan } from '../../../core/flows/from-provider/full-scan';

/**
 * A conversation that an agent starts with one of our end-users, as Chatwoot's dashboard does from the contact's page.
 */
describe('a conversation that an agent started with an end-user', () => {
  let world: ChatwootWorld;
  let sessionId: string;
  let alice: number;
  beforeEach(async () => {
    world = await createChatwootWorld();
    alice = await world.addPerson('Alice');
    sessionId = await world.openMirroredSession('hello');
  });
  afterEach(() => world.close());

  const tokenOf = async (userId: number) =>
    (await world.farSide.platform('POST', `/users/${userId}/token`, {})).access_token as string;
  async function begin(content: string | null, more: object = {}, inboxId = world.inbox.externalId): Promise<number> {
    const { contactId } = await world.session(sessionId);
    const message = content === null ? {} : { message: { content } };
    const { id } = await world.farSide.call('POST', `${world.accountPath}/conversations`, await tokenOf(alice), {
      source_id: sessionId,
      inbox_id: Number(inboxId),
      contact_id: Number(contactId),
      status: 'open',
      ...message,
      ...more,
    });
    await world.double.whenIdle();
    return id;
  }
  const write = async (conversationId: number, body: object) => {
    await world.farSide.call(
      'POST',
      `${world.accountPath}/conversations/${conversationId}/messages`,
      await tokenOf(alice),
      body,
    );
    await world.double.whenIdle();
  };
  const notesIn = async (conversationId: number): Promise<string[]> => {
    const { payload } = await world.farSide.get(
      `${world.accountPath}/conversations/${conversationId}/messages?after=0`,
      world.admin,
    );
    return (payload as { private: boolean; content: string }[])
      .filter(row => row.private)
      .map(({ content }) => content);
  };
  const look = async () => {
    await world.stores.scans.requestFullScans();
    await runFullScan(world.deps, new AbortController().signal);
  };

  it("gets one note that names the end-user's own conversation; nothing in it is forwarded, and the Session is unchanged", async () => {
    const before = await world.session(sessionId);
    const stray = await begin('Hello, this is Alice');
    await world.deliverAll();
    const own = before.conversationId!;
    expect(await notesIn(stray)).toEqual([
      expect.stringContaining(`does not reach the end-user. They are talked to in conversation ${own}`),
    ]);

    await write(stray, { content: 'Anybody there?', message_type: 'outgoing' });
    await look();
    await world.deliverAll();
    await world.runDueSyncs();
    expect(await notesIn(stray)).toHaveLength(1);
    expect(await notesIn(Number(own))).toEqual([]);
    expect(await world.collected(sessionId)).toEqual([]);
    expect(await world.session(sessionId)).toMatchObject({ conversationId: own, control: 'BOT', epoch: before.epoch });
  });

  it('is found by a full scan when no webhook came', async () => {
    world.setDown(true);
    const stray = await begin('Hello, this is Alice');
    world.setDown(false);
    await look();
    await world.deliverAll();
    expect(await notesIn(stray)).toHaveLength(1);
  });

  it('gets the note with its first public message, not before: a note among colleagues needs none', async () => {
    const stray = await begin(null);
    await write(stray, { content: 'who is that?', message_type: 'outgoing', private: true });
    await look();
    await world.deliverAll();
    expect(await notesIn(stray)).toEqual(['who is that?']);
    await write(stray, { content: 'Hello!', message_type: 'outgoing' });
    await world.deliverAll();
    expect(await notesIn(stray)).toEqual(['who is that?', expect.stringContaining('does not reach the end-user')]);
  });

  it('without our id on its contact inbox is known by the contact', async () => {
    const stray = await begin('Hello, this is Alice', { source_id: undefined });
    await world.deliverAll();
    expect(await notesIn(stray)).toHaveLength(1);
  });

  it('in another inbox is ignored', async () => {
    const theirs = await world.farSide.call('POST', `${world.accountPath}/inboxes`, world.admin, {
      name: 'Theirs',
      channel: { type: 'api', webhook_url: '' },
    });
    await world.farSide.call('POST', `${world.accountPath}/inbox_members`, world.admin, {
      inbox_id: theirs.id,
      user_ids: [alice],
    });
    const elsewhere = await begin('Hello by another way', { source_id: undefined }, String(theirs.id));
    await look();
    expect(await world.deliverAll()).toEqual([]);
    expect(await notesIn(elsewhere)).toEqual([]);
  });

  it("that is deleted before its note is forgotten, and the Session's own conversation does not count as lost", async () => {
    const { conversationId } = await world.session(sessionId);
    const stray = await begin('Hello, this is Alice');
    await world.farSide.call('DELETE', `${world.accountPath}/conversations/${stray}`, world.admin);
    // A job deletes it.
    await world.double.whenIdle();
    expect(await world.deliverAll()).toEqual([]);
    expect(await world.session(sessionId)).toMatchObject({ conversationId });
    expect((await world.pool.query('select from agent_initiated_conversation')).rowCount).toBe(0);
  });

  it('is noticed once by several replicas at once', async () => {
    const stray = await begin('Hello, this is Alice');
    await Promise.all(Array.from({ length: 4 }, () => look()));
    const { rows } = await world.pool.query("select payload from delivery where kind = 'POST_AGENT_INITIATED_NOTE'");
    expect(rows).toEqual([{ payload: { kind: 'POST_AGENT_INITIATED_NOTE', conversationId: String(stray) } }]);
  });

  it('gets no second note when the response to the first was lost', async () => {
    const stray = await begin('Hello, this is Alice');
    world.double.failNext({ match: { method: 'POST', path: /\/messages$/ }, mode: 'applyThenCut' });
    await world.deliverAll();
    await world.deliverAll();
    expect(await notesIn(stray)).toHaveLength(1);
  });
});
