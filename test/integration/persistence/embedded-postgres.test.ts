import { spawn, type ChildProcess } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { startEmbedded } from '../../../src/persistence';
import { killWithParent } from '../../../scripts/kill-with-parent';
import { until } from '../../support/until';

const isRoot = process.getuid?.() === 0;
const posix = process.platform === 'win32' ? it.skip : it;
let parent: string;
/** Created by the first test that starts on it, and used by those after it: each leaves it stopped. */
let folder: string;
const children: ChildProcess[] = [];
beforeAll(() => {
  parent = mkdtempSync(path.join(tmpdir(), 'support-embedded-test-'));
  // Like most folders of projects; the last test makes it root's own.
  chmodSync(parent, 0o755);
  folder = path.join(parent, 'data');
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(() => rmSync(parent, { recursive: true, force: true }));

async function query<Row extends object>(url: string, text: string): Promise<Row[]> {
  const client = new Client(url);
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

const lockFile = () => path.join(folder, 'pgdata', 'postmaster.pid');
const lockedBy = () => Number(readFileSync(lockFile(), 'utf8').split('\n')[0]);

/** Another process of ours that runs a Postgres on the folder until it is killed. */
async function otherProcess(): Promise<{ url: string; process: ChildProcess }> {
  const root = path.join(__dirname, '../../..');
  const code = `require('ts-node').register({ transpileOnly: true });
    require('./src/persistence/embedded/embedded-postgres').startEmbedded(${JSON.stringify(folder)}).then(({ url }) => console.log(url), (error) => console.error(error));
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['-e', code], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(killWithParent(child));
  let said = '';
  let errors = '';
  child.stdout.on('data', chunk => {
    said += String(chunk);
  });
  child.stderr.on('data', chunk => {
    errors += String(chunk);
  });
  await until(() => {
    if (errors !== '') throw new Error(errors);
    return said.includes('\n');
  });
  return { url: said.trim(), process: child };
}

describe('the embedded Postgres', () => {
  it('is created once when two processes start on a new folder that a killed start left behind', async () => {
    mkdirSync(path.join(folder, 'pgdata.new-4194999'), { recursive: true });
    writeFileSync(path.join(folder, 'pgdata.new-4194999', 'PG_VERSION'), '18');
    const both = await Promise.allSettled([startEmbedded(folder), startEmbedded(folder)]);
    const [winner] = both.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []));
    expect(both.filter(result => result.status === 'rejected')).toHaveLength(1);
    expect(await query(winner!.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    await winner!.stop();
    expect(readdirSync(folder).sort()).toEqual(['password', 'pgdata']);
  });

  it('keeps its data in its folder across restarts', async () => {
    const first = await startEmbedded(folder);
    await query(first.url, 'drop table if exists kept; create table kept as select 42 as value');
    await first.stop();
    const second = await startEmbedded(folder);
    expect(await query(second.url, 'select value from kept')).toEqual([{ value: 42 }]);
    await second.stop();
    await second.stop();
  });

  it('requires the password, which only its owner may read', async () => {
    const { url, stop } = await startEmbedded(folder);
    const open = new URL(url);
    open.password = '';
    await expect(query(open.href, 'select 1')).rejects.toThrow();
    open.password = 'guess';
    await expect(query(open.href, 'select 1')).rejects.toMatchObject({ code: '28P01' });
    expect(statSync(path.join(folder, 'password')).mode & 0o077).toBe(0);
    await stop();
  });

  it('leaves nothing behind when it is temporary', async () => {
    const before = readdirSync(tmpdir());
    const { url, stop } = await startEmbedded();
    const [{ dir }] = (await query<{ dir: string }>(
      url,
      "select setting as dir from pg_settings where name = 'data_directory'",
    )) as [{ dir: string }];
    expect(existsSync(dir)).toBe(true);
    await stop();
    expect(existsSync(dir)).toBe(false);
    expect(
      readdirSync(tmpdir()).filter(
        name => name.startsWith('support-pg-') && !before.includes(name) && dir.includes(name),
      ),
    ).toEqual([]);
  });

  it('accepts the connections of several pools', async () => {
    const { url, stop } = await startEmbedded(folder);
    expect(await query(url, 'show max_connections')).toEqual([{ max_connections: '200' }]);
    await stop();
  });

  it('is refused, with the reason, on a folder whose Postgres is already running', async () => {
    const { url, stop } = await startEmbedded(folder);
    await expect(startEmbedded(folder)).rejects.toThrow(/in use/);
    expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }]);
    await stop();
  });

  posix('ends with the process that started it, also by kill -9, and starts again', async () => {
    const other = await otherProcess();
    await query(other.url, 'drop table if exists kept; create table kept as select 42 as value');
    other.process.kill('SIGKILL');
    const again = await startEmbedded(folder);
    expect(await query(again.url, 'select value from kept')).toEqual([{ value: 42 }]);
    await again.stop();
    expect(existsSync(lockFile())).toBe(false);
  });

  posix('starts again after kill -9 of everything, though the lock names a process that runs', async () => {
    const other = await otherProcess();
    await query(other.url, 'drop table if exists kept; create table kept as select 42 as value');
    process.kill(lockedBy(), 'SIGKILL');
    other.process.kill('SIGKILL');
    expect(existsSync(lockFile())).toBe(true);
    // The process id was given to another process of the same user meanwhile.
    const { uid, gid } = statSync(path.join(folder, 'pgdata'));
    const sleeper = spawn('sleep', ['600'], { stdio: 'ignore', ...(isRoot ? { uid, gid } : {}) });
    children.push(killWithParent(sleeper));
    writeFileSync(lockFile(), readFileSync(lockFile(), 'utf8').replace(/^\d+/, String(sleeper.pid)));
    const again = await startEmbedded(folder);
    expect(await query(again.url, 'select value from kept')).toEqual([{ value: 42 }]);
    await again.stop();
  });

  (isRoot && process.platform === 'linux' ? it : it.skip)(
    'runs for root in a folder that only root may enter',
    async () => {
      chmodSync(parent, 0o700);
      const { url, stop } = await startEmbedded(folder);
      expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }]);
      await stop();
      // And was created there.
      const fresh = await startEmbedded(path.join(parent, 'another'));
      expect(await query(fresh.url, 'select 1 as one')).toEqual([{ one: 1 }]);
      await fresh.stop();
    },
  );
});
