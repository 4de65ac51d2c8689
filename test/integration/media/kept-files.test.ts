import { readdirSync } from 'node:fs';
import { createChatwootWorld, ORG, type ChatwootWorld } from '../../../src/providers/chatwoot/testing/chatwoot-world';
import { runFileWork } from '../../../src/providers/chatwoot/testing/run-file-work';
import { MediaStoreError } from '../../../src/core/file-errors';
import { fileKey } from '../../../src/core/files';
import { toExternalMessage } from '../../../src/core/external-message';
import { ARCHIVE_TIMES } from '../../../src/core/flows/archive-file';
import type { MediaStore } from '../../../src/core/ports/media-store';
import { Worker } from '../../../src/delivery';
import { createMediaHandler } from '../../../src/delivery/media-handler';
import { createLease } from '../../../src/testing/lease';
import { quiet } from '../../support/quiet';
import { until } from '../../support/until';

const OF_FILES = /^\/rails\//;

let world: ChatwootWorld;
let alice: number;
let sessionId: string;
beforeEach(async () => {
  world = await createChatwootWorld();
  alice = await world.addPerson('Alice');
  sessionId = await world.handedOver();
});
afterEach(() => world.close());

const acting = () => world.acting(alice, sessionId);
async function sends(
  filename: string,
  bytes: string | Buffer = `the bytes of ${filename}`,
  contentType = 'application/pdf',
): Promise<number> {
  const id = await (await acting()).attach({ filename, contentType, bytes });
  await world.runDueSyncs();
  return id;
}
const kept = () => readdirSync(world.mediaFolder, { recursive: true }).filter(name => String(name).length > 3);
const asked = () => world.double.requests().filter(({ path }) => OF_FILES.test(path)).length;
const notes = async () =>
  (await world.messages(sessionId)).filter(message => message.private).map(({ content }) => content as string);
/** Our store, with an action before the next write. */
function before(happens: () => Promise<void>): MediaStore {
  let left = [happens];
  const { media } = world;
  return {
    sizeOf: key => media.sizeOf(key),
    read: key => media.read(key),
    remove: key => media.remove(key),
    sweep: (when, signal) => media.sweep(when, signal),
    async write(key, body) {
      const due = left;
      left = [];
      for (const act of due) await act();
      await media.write(key, body);
    },
  };
}
const fileOf = (lane: { readonly delivery: { readonly work: unknown } }) => ({
  organizationId: ORG,
  ...(lane.delivery.work as { messageId: string; index: number }),
});
const parked = async () =>
  (await world.stores.events.listBySession(ORG, sessionId, 0, 1_000))
    .map(({ body }) => body)
    .filter(({ type }) => type === 'DELIVERY_PARKED');

describe("an agent's file", () => {
  it("is fetched because its message arrived, without a reader's request, and once", async () => {
    await sends('bill.pdf');
    expect(kept()).toEqual([]);
    expect(await runFileWork(world)).toEqual(['done']);
    expect(kept()).toHaveLength(1);
    // The address in the message, and the target of its redirect.
    expect(asked()).toBe(2);
    await world.runDueSyncs();
    await world.read(sessionId);
    expect(await runFileWork(world)).toEqual([]);
  });

  it('does not delay its message to the runtime, whatever happens to it', async () => {
    world.double.failNext({ mode: 'status:500', times: 99, match: { path: OF_FILES } });
    await sends('bill.pdf');
    expect(await runFileWork(world)).toEqual(['again PROVIDER_UNAVAILABLE']);
    expect((await world.inboxOf(sessionId)).filter(({ notice }) => notice.kind === 'MESSAGE')).not.toEqual([]);
    expect(await world.user(sessionId, 'thanks')).toBeDefined();
    expect(await world.deliverAll()).toEqual([]);
  });

  it('that does not exist yet is requested again, and stored once it does', async () => {
    world.double.failNext({ mode: 'status:404', times: 2, match: { path: OF_FILES } });
    await sends('bill.pdf');
    expect([await runFileWork(world), await runFileWork(world), await runFileWork(world)]).toEqual([
      ['again FILE_MISSING'],
      ['again FILE_MISSING'],
      ['done'],
    ]);
    expect(kept()).toHaveLength(1);
    expect([await parked(), await notes()]).toEqual([[], []]);
  });

  it('that still does not exist after the declared time is abandoned; the agent is notified once, and the next file is not delayed', async () => {
    await sends('lost.pdf');
    world.double.failNext({ mode: 'status:404', times: 2, match: { path: OF_FILES } });
    await sends('here.pdf');
    expect(await runFileWork(world)).toEqual(['again FILE_MISSING']);
    world.time.aheadMs += ARCHIVE_TIMES.appearsWithinMs;
    expect(await runFileWork(world)).toEqual(['parked FILE_MISSING', 'done']);
    await world.deliverAll();
    expect(await notes()).toEqual([expect.stringContaining('lost.pdf')]);
    expect(await parked()).toMatchObject([{ type: 'DELIVERY_PARKED', kind: 'ARCHIVE_FILE', code: 'FILE_MISSING' }]);
    expect(await world.stores.deliveries.countPending(ORG, sessionId)).toMatchObject({ parked: 1, provider: 0 });
  });

  it.each([
    ['large.pdf', 'application/pdf', Buffer.alloc(1_000_001), 'FILE_TOO_LARGE'],
    ['setup.exe', 'application/octet-stream', Buffer.from('MZ'), 'FILE_TYPE_REFUSED'],
  ])(
    'beyond our limits is never a link: the end-user gets its name, its agent an internal note: %s',
    async (name, contentType, bytes, refused) => {
      await sends(name, bytes, contentType);
      await sends('next.pdf');
      expect(await runFileWork(world)).toEqual(['done']);
      await world.deliverAll();
      expect(await notes()).toEqual([expect.stringContaining(name)]);
      expect([kept().length, await parked()]).toEqual([1, []]);
      const message = (await world.stores.messages.page(ORG, sessionId, { first: 100, after: null })).edges
        .map(({ node }) => node)
        .find(({ attachments }) => attachments.some(file => file.name === name))!;
      expect(message.attachments).toEqual([expect.objectContaining({ name, refused })]);
      expect(toExternalMessage(message)).toEqual({ text: `[${name}]`, content: null, files: [] });
    },
  );

  it('that exceeds our limits only during the download is parked; from then on it is a name without a link', async () => {
    await sends('growing.pdf', Buffer.alloc(1_000_001));
    const [message] = (
      await world.pool.query("select id, session_id from message where author = 'AGENT' and attachments <> '[]'")
    ).rows;
    // As if the support system had not reported the size.
    await world.pool.query(
      `update message set attachments = jsonb_set(attachments #- '{0,refused}', '{0,sizeBytes}', 'null') where id = $1`,
      [message.id],
    );
    await world.stores.sessions.transact(ORG, sessionId, tx =>
      tx.enqueueFileWork({ kind: 'ARCHIVE_FILE', messageId: message.id, index: 0 }),
    );
    expect(await runFileWork(world)).toEqual(['parked FILE_TOO_LARGE']);
    expect(toExternalMessage((await world.stores.messages.get(ORG, message.id))!)).toMatchObject({
      text: '[growing.pdf]',
      files: [],
    });
    expect(kept()).toEqual([]);
  });

  it('is reported once, also when we died between the report and parking it', async () => {
    world.double.failNext({ mode: 'status:404', times: 3, match: { path: OF_FILES } });
    await sends('lost.pdf');
    expect(await runFileWork(world)).toEqual(['again FILE_MISSING']);
    world.time.aheadMs += ARCHIVE_TIMES.appearsWithinMs;
    await world.pool.query("update lane set next_run_at = now() where destination = 'MEDIA'");
    const work = createMediaHandler(world.deps, world.deps.files!, 60_000);
    const [lane] = await world.stores.lanes.claimDeliveries('MEDIA', 1, 1);
    const error = await work.deliver(lane!, createLease()).catch((thrown: unknown) => thrown);
    expect(await work.handleFailure(lane!, error)).toMatchObject({ kind: 'park' });
    expect(await runFileWork(world)).toEqual(['parked FILE_MISSING']);
    await world.deliverAll();
    expect([(await notes()).length, (await parked()).length]).toEqual([1, 1]);
  });

  it('is claimed again after a kill between fetch and completion, without a second fetch or damage', async () => {
    await sends('bill.pdf');
    const [lane] = await world.stores.lanes.claimDeliveries('MEDIA', 1, 1);
    await world.deps.files!.archive(fileOf(lane!));
    const once = asked();
    expect(await runFileWork(world, world.newKeeper())).toEqual(['done']);
    expect([asked(), kept().length]).toEqual([once, 1]);
    expect(await world.stores.lanes.complete(lane!)).toBe(false);
  });

  it('is stored whole when several processes fetch it at the same time', async () => {
    await sends('bill.pdf', 'x'.repeat(500_000));
    const [lane] = await world.stores.lanes.claimDeliveries('MEDIA', 1, 60_000);
    const file = fileOf(lane!);
    expect(
      await Promise.all([world.newKeeper(), world.newKeeper(), world.newKeeper()].map(keeper => keeper.archive(file))),
    ).toEqual(['archived', 'archived', 'archived']);
    expect([kept().length, await world.media.sizeOf(fileKey(file))]).toEqual([1, 500_000]);
  });

  it('is removed when its agent deletes the message', async () => {
    const id = await sends('bill.pdf');
    expect(await runFileWork(world)).toEqual(['done']);
    await (await acting()).deleteMessage(id);
    await world.runDueSyncs();
    expect(await runFileWork(world)).toEqual(['done']);
    expect(kept()).toEqual([]);
  });

  it('is not stored when the message is deleted before or during the fetch', async () => {
    const id = await sends('bill.pdf');
    const [lane] = await world.stores.lanes.claimDeliveries('MEDIA', 1, 1);
    const store = before(async () => {
      await (await acting()).deleteMessage(id);
      await world.runDueSyncs();
    });
    expect(await world.newKeeper({ store }).archive(fileOf(lane!))).toBe('removed');
    expect(kept()).toEqual([]);
    world.double.clearRequests();
    expect(await runFileWork(world)).toEqual(['done', 'done']);
    expect([asked(), kept(), await notes()]).toEqual([0, [], []]);
  });

  it('stays pending while our own store is down, however old it is', async () => {
    await sends('bill.pdf');
    const files = world.newKeeper({ store: before(() => Promise.reject(new MediaStoreError('away'))) });
    world.time.aheadMs += ARCHIVE_TIMES.appearsWithinMs * 2;
    expect([await runFileWork(world, files), await runFileWork(world, files)]).toEqual([
      ['again MEDIA_STORE_UNAVAILABLE'],
      ['done'],
    ]);
  });

  it('is no longer pending once support is disabled', async () => {
    await sends('bill.pdf');
    await world.flows.disableChatbot({ organizationId: ORG }, 'bot-1');
    expect(await runFileWork(world)).toEqual(['nothing owed']);
    expect(asked()).toBe(0);
  });
});

describe('the file worker', () => {
  const start = () => {
    const worker = new Worker(
      world.deps,
      { leaseMs: 60_000, concurrency: 4, concurrencyPerRemote: 4, pollMs: 10 },
      quiet,
    );
    return worker.start().then(() => worker);
  };

  it('stores files while it delivers and syncs, and continues past one that it abandons', async () => {
    await sends('setup.exe');
    await sends('bill.pdf');
    const worker = await start();
    try {
      await until(() => kept().length === 1);
      await until(async () => (await notes()).length === 1);
    } finally {
      await worker.stop();
    }
  });

  it('stops at once while a fetch hangs, and the next process fetches the file', async () => {
    world.double.failNext({ mode: 'hang', match: { path: OF_FILES } });
    await sends('bill.pdf');
    const worker = await start();
    await until(() => asked() === 1);
    await worker.stop();
    expect(kept()).toEqual([]);
    expect(await runFileWork(world, world.newKeeper())).toEqual(['done']);
    expect(kept()).toHaveLength(1);
  });

  it('removes files that exceed their retention time', async () => {
    await sends('bill.pdf');
    await runFileWork(world);
    const retentionMs = 86_400_000;
    world.deps.files = world.newKeeper({ retentionMs: retentionMs });
    expect(await world.deps.files.sweep()).toBe(0);
    world.time.aheadMs += retentionMs + 60_000;
    const worker = await start();
    try {
      await until(() => kept().length === 0);
    } finally {
      await worker.stop();
    }
  });
});
