import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import S3rver from 's3rver';
import type { MediaStore } from '../../../src/core/ports/media-store';
import { FolderMediaStore } from '../../../src/media/folder-store';
import { openMediaStore } from '../../../src/media/open-store';
import type { S3Options } from '../../../src/media/s3-store';
import { RetainedBytes } from '../../../src/testing/retained-bytes';
import { S3Double } from '../../support/s3-double';
import { TIME_LIMITS } from '../../../src/time-limits';

const MB = 1024 * 1024;
const PREFIX = 'support/';
const neverSignal = new AbortController().signal;
const PAST = '2001-01-01T00:00:00.000Z';
const FUTURE = '2101-01-01T00:00:00.000Z';

interface StoreFixture {
  readonly store: MediaStore /** Puts a foreign object beside our files. */;
  addForeign(): Promise<unknown>;
  hasForeign(): Promise<boolean>;
  close(): Promise<void>;
}

const credentials = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };
const optionsFor = (endpoint: string, more: Partial<S3Options> = {}): S3Options => ({
  bucket: 'files',
  region: 'us-east-1',
  endpoint,
  prefix: PREFIX,
  credentials,
  ...more,
});

const newFolder = () => mkdtempSync(path.join(tmpdir(), 'store-'));

async function folderHouse(): Promise<StoreFixture> {
  const folder = newFolder();
  const foreign = path.join(folder, 'ab', 'holiday.jpg');
  return {
    store: (await openMediaStore({ folder, s3: null }, TIME_LIMITS.store)).media,
    async addForeign() {
      mkdirSync(path.dirname(foreign), { recursive: true });
      writeFileSync(foreign, 'sun');
    },
    async hasForeign() {
      return readdirSync(path.dirname(foreign)).includes('holiday.jpg');
    },
    async close() {
      rmSync(folder, { recursive: true });
    },
  };
}

async function s3rverHouse(): Promise<StoreFixture> {
  const folder = newFolder();
  const server = new S3rver({
    address: '127.0.0.1',
    port: 0,
    silent: true,
    directory: folder,
    configureBuckets: [{ name: 'files', configs: [] }],
  });
  const { port } = await server.run();
  const { media: store, close } = await openMediaStore(
    { folder: '', s3: optionsFor(`http://127.0.0.1:${port}`) },
    TIME_LIMITS.store,
  );
  const foreign = () => readdirSync(path.join(folder, 'files', PREFIX));
  return {
    store,
    async addForeign() {
      mkdirSync(path.join(folder, 'files', PREFIX), { recursive: true });
      for (const part of ['object', 'metadata.json', 'object.md5'])
        writeFileSync(
          path.join(folder, 'files', PREFIX, `holiday.jpg._S3rver_${part}`),
          part === 'metadata.json' ? '{}' : 'sun',
        );
    },
    async hasForeign() {
      return foreign().some(name => name.startsWith('holiday'));
    },
    async close() {
      close();
      await server.close();
      rmSync(folder, { recursive: true });
    },
  };
}

async function doubleHouse(): Promise<StoreFixture & { readonly double: S3Double; readonly endpoint: string }> {
  const double = new S3Double('files', credentials.accessKeyId);
  const endpoint = await double.start();
  const { media: store, close } = await openMediaStore({ folder: '', s3: optionsFor(endpoint) }, TIME_LIMITS.store);
  return {
    store,
    double,
    endpoint,
    async addForeign() {
      double.objects.set(`${PREFIX}holiday.jpg`, { bytes: Buffer.from('sun'), modified: new Date() });
    },
    async hasForeign() {
      return double.objects.has(`${PREFIX}holiday.jpg`);
    },
    async close() {
      close();
      await double.stop();
    },
  };
}

const newKey = () => `${randomUUID()}-0`;
async function* bytes(...chunks: (string | Uint8Array)[]): AsyncIterable<Uint8Array> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}
async function textOf(store: MediaStore, key: string): Promise<string | null> {
  const found = await store.read(key);
  if (found === null) return null;
  const chunks: Uint8Array[] = [];
  for await (const chunk of found.body) chunks.push(chunk);
  const all = Buffer.concat(chunks);
  expect([all.length, await store.sizeOf(key)]).toEqual([found.sizeBytes, found.sizeBytes]);
  return all.toString();
}

describe.each([
  ['a folder', folderHouse],
  ['S3, as s3rver speaks it', s3rverHouse],
  ['S3, as our double speaks it', doubleHouse],
])('files stored in %s', (_name, open) => {
  let house: StoreFixture;
  let store: MediaStore;
  beforeEach(async () => {
    house = await open();
    store = house.store;
  });
  afterEach(() => house.close());

  it('are null until they are stored, and then complete, also when they are empty', async () => {
    const [key, empty] = [newKey(), newKey()];
    expect([await store.sizeOf(key), await store.read(key)]).toEqual([null, null]);
    await store.write(key, bytes('a file ', 'in two'));
    await store.write(empty, bytes());
    expect([await textOf(store, key), await textOf(store, empty)]).toEqual(['a file in two', '']);
  });

  it('are never partly visible: until the last byte is stored, readers get nothing, or the previous file', async () => {
    const key = newKey();
    for (const before of [null, 'x'.repeat(12 * MB)]) {
      async function* slow() {
        for (let n = 0; n < 12; n++) {
          yield Buffer.alloc(MB, before === null ? 'x' : 'y');
          expect(await store.sizeOf(key)).toBe(before === null ? null : before.length);
        }
        expect(await textOf(store, key)).toBe(before);
      }
      await store.write(key, slow());
    }
    expect(await textOf(store, key)).toBe('y'.repeat(12 * MB));
  });

  it("are unchanged after a failed write, whose error is the body's own", async () => {
    const [key, other] = [newKey(), newKey()];
    await store.write(key, bytes('whole'));
    const reason = new Error('the far side hung up');
    async function* broken(megabytes: number) {
      for (let n = 0; n < megabytes; n++) yield Buffer.alloc(MB);
      throw reason;
    }
    for (const [where, size] of [
      [key, 1],
      [key, 11],
      [other, 1],
      [other, 11],
    ] as const)
      await expect(store.write(where, broken(size))).rejects.toBe(reason);
    expect([await textOf(store, key), await textOf(store, other)]).toEqual(['whole', null]);
  });

  it('are complete when several writers write the same at the same time', async () => {
    const key = newKey();
    const text = 'z'.repeat(6 * MB);
    await Promise.all(Array.from({ length: 3 }, () => store.write(key, bytes(text))));
    expect(await textOf(store, key)).toBe(text);
  });

  it('are gone after removal, however often it is repeated', async () => {
    const [key, other] = [newKey(), newKey()];
    await store.write(key, bytes('x'));
    await store.write(other, bytes('y'));
    await store.remove(key);
    await store.remove(key);
    expect([await store.sizeOf(key), await textOf(store, other)]).toEqual([null, 'y']);
  });

  it('are removed by age, and no others are', async () => {
    const keys = Array.from({ length: 5 }, newKey);
    for (const key of keys) await store.write(key, bytes('x'));
    await house.addForeign();
    expect(await store.sweep(null, neverSignal)).toBe(0);
    expect(await store.sweep(PAST, neverSignal)).toBe(0);
    expect(await store.sizeOf(keys[0]!)).toBe(1);
    expect(await store.sweep(FUTURE, AbortSignal.abort())).toBe(0);
    expect(await store.sweep(FUTURE, neverSignal)).toBe(5);
    expect(await Promise.all(keys.map(key => store.sizeOf(key)))).toEqual([null, null, null, null, null]);
    expect(await house.hasForeign()).toBe(true);
  });

  it.each([
    '../secret',
    'a/b',
    '',
    '6f0a2d8e-7a86-4ad4-8ac7-0d9f4d5f0c01-0.part',
    '6f0a2d8e-7a86-4ad4-8ac7-0d9f4d5f0c01',
  ])('are not found under another name: %j', async key => {
    await expect(store.read(key)).rejects.toThrow('not one of the media store');
    await expect(store.write(key, bytes('x'))).rejects.toThrow('not one of the media store');
    await expect(store.remove(key)).rejects.toThrow('not one of the media store');
  });
});

it.each([
  ['a folder', folderHouse],
  ['S3', s3rverHouse],
])('a file of 32 MB is never whole in memory on its way into %s', async (_name, open) => {
  const house = await open();
  const key = newKey();
  await house.store.write(key, bytes('warm'));
  const held = await RetainedBytes.now();
  async function* large() {
    for (let n = 1; n <= 32; n++) {
      yield Buffer.alloc(MB);
      if (n % 4 === 0) held.measure();
    }
  }
  await house.store.write(key, large());
  expect(await house.store.sizeOf(key)).toBe(32 * MB);
  expect(held.max / MB).toBeLessThan(16);
  await house.close();
});

describe('a folder store', () => {
  it('removes what a crash left unfinished a day ago, and keeps what is being written', async () => {
    const folder = newFolder();
    const [old, young] = ['old', 'young'].map(name => path.join(folder, 'ab', `${name}.part`)) as [string, string];
    mkdirSync(path.dirname(old));
    for (const file of [old, young]) writeFileSync(file, 'half');
    utimesSync(old, new Date(PAST), new Date(PAST));
    expect(await new FolderMediaStore(folder).sweep(null, neverSignal)).toBe(1);
    expect(readdirSync(path.dirname(old))).toEqual(['young.part']);
    rmSync(folder, { recursive: true });
  });

  it('reports by code that it cannot be written, and names no file', async () => {
    const folder = path.join(newFolder(), 'a-file');
    writeFileSync(folder, '');
    const key = newKey();
    const error = await new FolderMediaStore(folder).write(key, bytes('x')).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'MEDIA_STORE_UNAVAILABLE' });
    expect((error as Error).message).not.toContain(key);
    rmSync(path.dirname(folder), { recursive: true });
  });
});

describe('an S3 store', () => {
  it('keeps everything below its prefix, lists nothing else, and leaves no parts of a failed upload', async () => {
    const house = await doubleHouse();
    async function* broken() {
      for (let n = 0; n < 12; n++) yield Buffer.alloc(MB);
      throw new Error('cut');
    }
    await expect(house.store.write(newKey(), broken())).rejects.toThrow('cut');
    expect(house.double.uploads.size).toBe(0);
    await house.store.write(newKey(), bytes('x'));
    await house.store.sweep(PAST, neverSignal);
    expect([...house.double.objects.keys()].every(key => key.startsWith(PREFIX))).toBe(true);
    expect([house.double.objects.size, ...house.double.listings]).toEqual([1, PREFIX]);
    await house.close();
  });

  it.each([
    ['with a key that it does not know', { credentials: { accessKeyId: 'WRONG', secretAccessKey: 'hunter2-hunter2' } }],
    ['without its bucket', { bucket: 'nowhere' }],
    ['that is down', { endpoint: 'http://127.0.0.1:1' }],
  ] as const)('%s fails every call with one code, without the secret', async (_name, wrong) => {
    const house = await doubleHouse();
    const { media, close } = await openMediaStore(
      { folder: '', s3: optionsFor(house.endpoint, wrong) },
      TIME_LIMITS.store,
    );
    const key = newKey();
    for (const call of [
      () => media.read(key),
      () => media.write(key, bytes('x')),
      () => media.remove(key),
      () => media.sweep(FUTURE, neverSignal),
    ]) {
      const error = await call().catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'MEDIA_STORE_UNAVAILABLE' });
      expect((error as Error).message).not.toMatch(/hunter2|[0-9a-f]{8}-/);
    }
    close();
    await house.close();
  });
});
