import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { isProvedDead } from '../../../src/claimer';

const ROOT = path.join(__dirname, '..', '..', '..');
const LOADER = path.join(ROOT, 'test', 'support', 'run-typescript.cjs');
const CHILD = `console.log(require('./src/claimer.ts').currentClaimer()); setInterval(() => undefined, 1000);`;
const PARENT = `
  const { spawn } = require('node:child_process');
  require('./scripts/kill-with-parent.ts').killWithParent(spawn(process.execPath, ['-r', ${JSON.stringify(LOADER)}, '-e', ${JSON.stringify(CHILD)}], { stdio: ['ignore', 'inherit', 'inherit'] }));
  setInterval(() => undefined, 1000);`;

/** A process with a child that ends with it; the child's name once it runs. */
async function family(): Promise<{ readonly parent: ChildProcess; readonly child: string }> {
  const parent = spawn(process.execPath, ['-r', LOADER, '-e', PARENT], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  return { parent, child: line.toString().trim() };
}

const isDead = async (claimer: string): Promise<void> => {
  while (!isProvedDead(claimer)) await new Promise(resolve => setTimeout(resolve, 20));
};

describe('a child that is bound to its parent', () => {
  it.each(['SIGKILL', 'SIGINT', 'SIGTERM'] as const)('ends with its parent: %s', async signal => {
    const { parent, child } = await family();
    expect(isProvedDead(child)).toBe(false);
    parent.kill(signal);
    await isDead(child);
  });

  it('ends with its parent even while the child is stopped', async () => {
    const { parent, child } = await family();
    process.kill(Number(child.split(':')[1]), 'SIGSTOP');
    parent.kill('SIGKILL');
    await isDead(child);
  });
});

describe('the proof that a process is dead', () => {
  it('is not given for a running process, another host, or an invalid process name', async () => {
    const { parent, child } = await family();
    const [place, pid, startedAt] = child.split(':');
    expect(
      [child, `elsewhere:${pid}:${startedAt}`, `${place}:0:1`, `${place}:-1:1`, 'a', ''].map(isProvedDead),
    ).toEqual([false, false, false, false, false, false]);
    // A later process with its number.
    expect(isProvedDead(`${place}:${pid}:${Number(startedAt) - 1}`)).toBe(true);
    parent.kill('SIGKILL');
    await isDead(child);
  });
});
