import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ConfigError, loadSecretKey } from '../../../src/config';

let dataDir: string;
beforeEach(async () => {
  dataDir = path.join(await mkdtemp(path.join(tmpdir(), 'support-key-')), 'data');
});
afterEach(() => rm(path.dirname(dataDir), { recursive: true }));

it('uses the configured key, and writes nothing', async () => {
  const key = Buffer.alloc(32, 3);
  expect(await loadSecretKey({ secretKey: key.toString('base64'), dataDir })).toEqual(key);
  await expect(stat(dataDir)).rejects.toThrow('ENOENT');
});

it('is created once, readable by its owner only, and found again at the next start', async () => {
  const first = await loadSecretKey({ secretKey: null, dataDir });
  expect(first).toHaveLength(32);
  expect((await stat(path.join(dataDir, 'secret.key'))).mode & 0o777).toBe(0o600);
  expect(await readdir(dataDir)).toEqual(['secret.key']);
  expect(await loadSecretKey({ secretKey: null, dataDir })).toEqual(first);
});

it('differs between folders', async () => {
  const first = await loadSecretKey({ secretKey: null, dataDir });
  expect(await loadSecretKey({ secretKey: null, dataDir: `${dataDir}2` })).not.toEqual(first);
});

it('is the same for several processes that start at once', async () => {
  const keys = await Promise.all(Array.from({ length: 8 }, () => loadSecretKey({ secretKey: null, dataDir })));
  expect(new Set(keys.map(key => key.toString('hex'))).size).toBe(1);
  expect(await readdir(dataDir)).toEqual(['secret.key']);
});

it('is refused, not replaced, when its file is damaged', async () => {
  await loadSecretKey({ secretKey: null, dataDir });
  await writeFile(path.join(dataDir, 'secret.key'), 'hunter2');
  const error = await loadSecretKey({ secretKey: null, dataDir }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ConfigError);
  expect((error as ConfigError).message).not.toContain('hunter2');
  expect(await readFile(path.join(dataDir, 'secret.key'), 'utf8')).toBe('hunter2');
});
