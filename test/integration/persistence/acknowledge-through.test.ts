import type { RuntimeInboxFilter } from '../../../src/core/ports/delivery-store';
import type { SessionTransaction } from '../../../src/core/ports/session-transaction';
import { createStoreWorld, FOREIGN, gate, inboxOf, ORG, NOBODY_KNOWN, said, type StoreWorld } from './store-world';
import { randomUUID } from 'node:crypto';

let world: StoreWorld;
beforeAll(async () => {
  world = await createStoreWorld();
  await world.stores.setup.insertInbox(inboxOf(world.account, { chatbotId: 'bot-2', externalId: 'i-2' }));
});
afterAll(() => world.end());
beforeEach(() => world.sql('truncate lane, delivery, handoff, message, event, agent_initiated_conversation, session'));

const AT = '2026-11-22T20:53:00.000Z';
const EVERYTHING: RuntimeInboxFilter = { chatbotId: null, sessionId: null };
const codeOf = (act: Promise<unknown>) =>
  act.then(
    () => null,
    (error: { code: string }) => error.code,
  );

async function oweIn(tx: SessionTransaction, ...texts: string[]): Promise<void> {
  for (const text of texts)
    await tx.enqueueForRuntime({
      kind: 'MESSAGE',
      messageId: (await tx.insertMessage(said({ text, author: 'AGENT' }))).id,
    });
}
const enqueue = (id: string, ...texts: string[]) => world.stores.sessions.transact(ORG, id, tx => oweIn(tx, ...texts));
async function openOf(chatbotId: string): Promise<string> {
  const inbox = (await world.stores.setup.findInboxByChatbot(ORG, chatbotId))!;
  return (
    await world.stores.sessions.open({
      id: randomUUID(),
      organizationId: ORG,
      chatbotId,
      inboxId: inbox.id,
      channel: 'web',
      externalId: randomUUID(),
      endUser: NOBODY_KNOWN,
      at: AT,
    })
  ).session.id;
}

const read = async (filter: Partial<RuntimeInboxFilter> = {}) => {
  const { edges } = await world.stores.deliveries.listRuntimeInbox(
    ORG,
    { ...EVERYTHING, ...filter },
    { first: 100, after: null },
  );
  const messages = await world.stores.messages.getMany(
    ORG,
    edges.map(({ node: { notice } }) => (notice as { messageId: string }).messageId),
  );
  return edges.map(({ cursor }, i) => ({ text: messages[i]!.text, cursor }));
};
const texts = async (filter: Partial<RuntimeInboxFilter> = {}) => (await read(filter)).map(({ text }) => text);
const cursorOf = async (text: string, filter: Partial<RuntimeInboxFilter> = {}) =>
  (await read(filter)).find(one => one.text === text)!.cursor;
const acknowledge = (cursor: string, filter: Partial<RuntimeInboxFilter> = {}, limit = 500) =>
  world.stores.deliveries.acknowledgeThrough(ORG, { ...EVERYTHING, ...filter }, cursor, limit, AT);

describe('acknowledging everything up to a cursor', () => {
  it('takes what the list showed up to and including it, of all sessions, and leaves the rest', async () => {
    const [one, other] = [await openOf('bot-1'), await openOf('bot-2')];
    await enqueue(one, 'a', 'b');
    await enqueue(other, 'c');
    await enqueue(one, 'd');
    const done = await acknowledge(await cursorOf('c'));
    expect(done).toEqual({ acknowledged: 3, sessionIds: expect.any(Array), isComplete: true });
    expect([...done.sessionIds].sort()).toEqual([one, other].sort());
    expect(await texts()).toEqual(['d']);
    expect(await world.sql("select distinct done_at from delivery where state = 'DONE'")).toEqual([{ done_at: AT }]);
  });

  it('can stop between two deliveries of one transaction', async () => {
    const id = await openOf('bot-1');
    await enqueue(id, 'a', 'b', 'c');
    await acknowledge(await cursorOf('b'));
    expect(await texts()).toEqual(['c']);
  });

  it('works in batches, oldest first, and a repeat finds nothing', async () => {
    const id = await openOf('bot-1');
    await enqueue(id, 'a', 'b', 'c', 'd');
    const cursor = await cursorOf('c');
    expect(await acknowledge(cursor, {}, 2)).toMatchObject({ acknowledged: 2, isComplete: false });
    expect(await texts()).toEqual(['c', 'd']);
    expect(await acknowledge(cursor, {}, 2)).toMatchObject({ acknowledged: 1, isComplete: true });
    expect(await acknowledge(cursor, {}, 2)).toEqual({ acknowledged: 0, sessionIds: [], isComplete: true });
  });

  it("is limited to the list of the cursor: a chatbot's, a session's", async () => {
    const [one, sibling, other] = [await openOf('bot-1'), await openOf('bot-1'), await openOf('bot-2')];
    await enqueue(one, 'a');
    await enqueue(sibling, 'b');
    await enqueue(other, 'c');
    await enqueue(one, 'd');
    await acknowledge(await cursorOf('d', { sessionId: one }));
    expect(await texts()).toEqual(['b', 'c']);
    await enqueue(other, 'e');
    await enqueue(sibling, 'f');
    await acknowledge(await cursorOf('f', { chatbotId: 'bot-1' }));
    expect(await texts()).toEqual(['c', 'e']);
  });

  it('can be narrowed, and never widened', async () => {
    const [one, other] = [await openOf('bot-1'), await openOf('bot-2')];
    await enqueue(one, 'a');
    await enqueue(other, 'b');
    const wide = await cursorOf('b');
    await acknowledge(wide, { chatbotId: 'bot-2', sessionId: other });
    expect(await texts()).toEqual(['a']);
    const narrow = await cursorOf('a', { chatbotId: 'bot-1' });
    expect(await codeOf(acknowledge(narrow, { chatbotId: 'bot-2' }))).toBe('CURSOR_INVALID');
    expect(await codeOf(acknowledge(await cursorOf('a', { sessionId: one }), { sessionId: other }))).toBe(
      'CURSOR_INVALID',
    );
    expect(await codeOf(acknowledge('no cursor'))).toBe('CURSOR_INVALID');
    expect(await acknowledge(wide, { sessionId: 'no id' })).toMatchObject({ acknowledged: 0, isComplete: true });
    expect(await texts()).toEqual(['a']);
  });

  it('never takes a delivery below it that becomes visible later', async () => {
    const [slow, quick, early] = [await openOf('bot-1'), await openOf('bot-1'), await openOf('bot-1')];
    await enqueue(early, 'early');
    const wrote = gate();
    const mayEnd = gate();
    const open = world.stores.sessions.transact(ORG, slow, async tx => {
      await oweIn(tx, 'slow');
      await tx.findMessageByCallerId('all is sent');
      wrote.open();
      await mayEnd.opened;
    });
    await wrote.opened;
    await enqueue(quick, 'quick');
    // The list over all sessions ends before the open transaction, and so do its cursors. One session's list continues
    // by itself.
    expect(await texts()).toEqual(['early']);
    const ofAll = await cursorOf('early');
    const ofQuick = await cursorOf('quick', { sessionId: quick });
    expect(await acknowledge(ofQuick)).toMatchObject({ acknowledged: 1, sessionIds: [quick] });
    mayEnd.open();
    await open;
    expect(await acknowledge(ofAll)).toMatchObject({ acknowledged: 1, sessionIds: [early] });
    expect(await acknowledge(ofQuick)).toMatchObject({ acknowledged: 0 });
    expect(await texts()).toEqual(['slow']);
  });

  it('takes nothing of another organization, whatever the cursor', async () => {
    await enqueue(await openOf('bot-1'), 'a');
    const cursor = await cursorOf('a');
    expect(await world.stores.deliveries.acknowledgeThrough(FOREIGN, EVERYTHING, cursor, 500, AT)).toMatchObject({
      acknowledged: 0,
    });
    expect(await texts()).toEqual(['a']);
  });

  it('does not deadlock when lists and cursors overlap', async () => {
    const ids = await Promise.all(Array.from({ length: 6 }, () => openOf('bot-1')));
    for (let round = 0; round < 5; round++) {
      await Promise.all(ids.map(id => enqueue(id, ...Array.from({ length: 10 }, (_, n) => `${n}`))));
      const all = await world.stores.deliveries.listRuntimeInbox(ORG, EVERYTHING, { first: 100, after: null });
      const last = all.edges.at(-1)!.cursor;
      const asked = all.edges.map(({ node }) => node.id).reverse();
      const replica = world.replica();
      await Promise.all([
        acknowledge(last, {}, 7),
        acknowledge(last, {}, 60),
        replica.deliveries.acknowledge(ORG, asked, AT),
        replica.deliveries.acknowledgeThrough(ORG, EVERYTHING, last, 60, AT),
      ]);
      expect(await texts()).toEqual([]);
    }
  });
});
