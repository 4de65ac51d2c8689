import { readdirSync } from 'node:fs';
import { NEW_PROGRESS, removeExpired } from '../../../src/core/flows/operate/retention';
import { fileKey } from '../../../src/core/files';
import { recordHint } from '../../../src/core/flows/from-provider/record-hint';
import { runFileWork } from '../../../src/providers/chatwoot/testing/run-file-work';
import { createChatwootWorld, type ChatwootWorld } from '../../../src/providers/chatwoot/testing/chatwoot-world';
import { createLease } from '../../../src/testing/lease';

const DAY = 86_400_000;
let world: ChatwootWorld;
beforeEach(async () => {
  world = await createChatwootWorld();
});
afterEach(() => world.close());

async function forget() {
  const keepMs = {
    events: 365 * DAY,
    messages: 365 * DAY,
    deliveries: 30 * DAY,
    idempotencyKeys: 7 * DAY,
    sessions: 365 * DAY,
  };
  const { removed, progress } = await removeExpired(
    world.deps,
    { keepMs, files: world.media },
    NEW_PROGRESS,
    createLease(),
  );
  expect(progress).toBeNull();
  return removed;
}
const files = () =>
  readdirSync(world.mediaFolder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(({ name }) => name)
    .sort();

it("an agent's old message is not forwarded again after its record was removed here; a new one is", async () => {
  const alice = await world.addPerson('Alice');
  const sessionId = await world.handedOver();
  await (await world.acting(alice, sessionId)).reply('old words');
  const emptyId = await (await world.acting(alice, sessionId)).reply('');
  await world.runDueSyncs();
  await world.act(sessionId, 'POST', '/toggle_status', { status: 'resolved' });
  await world.read(sessionId);
  await world.acknowledgeAll(sessionId);
  await world.acknowledgeAll(sessionId);
  expect(await world.deliverAll()).toEqual([]);
  expect((await world.session(sessionId)).liveHandoffId).toBeNull();
  const posts = (await world.messages(sessionId)).length;

  world.time.aheadMs += 400 * DAY;
  const removed = await forget();
  expect(removed.messages).toBe((await world.session(sessionId)).lastMessageSeq);
  expect(removed.deliveries).toBeGreaterThan(0);

  // Read again from the last sync position, and by id, as after a late webhook.
  const { conversationId } = await world.session(sessionId);
  for (const id of [emptyId, emptyId - 1])
    await recordHint(world.deps, world.account.id, { conversationId: conversationId!, changedMessageId: String(id) });
  await world.runDueSyncs();
  expect(await world.deliverAll()).toEqual([]);
  expect(await world.collected(sessionId)).toEqual([]);
  expect(await world.messages(sessionId)).toHaveLength(posts);
  expect((await world.session(sessionId)).liveHandoffId).toBeNull();

  await (await world.acting(alice, sessionId)).reply('new words');
  await world.runDueSyncs();
  expect(await world.collected(sessionId)).toEqual(['ACTIVE', 'AGENT: new words']);
});

it('removing a message removes its files and no others', async () => {
  const alice = await world.addPerson('Alice');
  async function fileOf(): Promise<{ sessionId: string; key: string }> {
    const sessionId = await world.handedOver();
    await (await world.acting(alice, sessionId)).attach({
      filename: 'bill.pdf',
      contentType: 'application/pdf',
      bytes: 'the bill',
    });
    await world.runDueSyncs();
    const { node } = (await world.stores.messages.page('org-1', sessionId, { first: 50, after: null })).edges.at(-1)!;
    expect(node.attachments).toHaveLength(1);
    const key = fileKey({ messageId: node.id, index: 0 });
    expect(await runFileWork(world)).toEqual(['done']);
    await world.act(sessionId, 'POST', '/toggle_status', { status: 'resolved' });
    await world.read(sessionId);
    await world.acknowledgeAll(sessionId);
    await world.acknowledgeAll(sessionId);
    await world.deliverAll();
    return { sessionId, key };
  }
  const old = await fileOf();
  world.time.aheadMs += 400 * DAY;
  const young = await fileOf();
  expect(files()).toEqual([old.key, young.key].sort());
  expect((await forget()).messages).toBeGreaterThan(0);
  expect(files()).toEqual([young.key]);
  expect(await world.media.read(old.key)).toBeNull();
});
