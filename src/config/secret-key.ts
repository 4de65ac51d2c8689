import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { SETTINGS } from './settings';
import { ConfigError } from './config-error';

const FILE = 'secret.key';

/**
 * Returns the 32 bytes that encrypt stored credentials. Without SUPPORT_SECRET_KEY, the key is a file in the data
 * folder, beside the embedded database, created at the first start. Called once, at start.
 */
export async function loadSecretKey(config: {
  readonly secretKey: string | null;
  readonly dataDir: string;
}): Promise<Buffer> {
  if (config.secretKey !== null) return Buffer.from(config.secretKey, 'base64');
  const file = path.join(config.dataDir, FILE);
  const key = (await readKey(file)) ?? (await createKey(file));
  const parsed = SETTINGS.SUPPORT_SECRET_KEY.schema.safeParse(key);
  if (parsed.success) return Buffer.from(parsed.data, 'base64');
  throw new ConfigError([
    {
      key: 'SUPPORT_SECRET_KEY',
      given: `${file} (hidden)`,
      expected:
        'the key that was generated there; restore it from a backup, because stored credentials cannot be decrypted without it',
      example: `SUPPORT_SECRET_KEY=${SETTINGS.SUPPORT_SECRET_KEY.example}`,
    },
  ]);
}

async function readKey(file: string): Promise<string | null> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/**
 * Creates the key under a temporary name and links it. If two starts race, one key wins; a crash leaves no partial key.
 */
async function createKey(file: string): Promise<string | null> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  const aside = `${file}.${process.pid}.${randomBytes(6).toString('hex')}`;
  await writeFile(aside, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flag: 'wx', flush: true });
  try {
    await link(aside, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await unlink(aside);
  }
  return readKey(file);
}
