import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isClean, renderVerdict } from '../../scripts/torture/report';
import { runTorture } from '../../scripts/torture/run';
import { startChatwootDouble } from '../../src/providers/chatwoot/testing/double';
import { ChatwootApi } from '../../src/providers/chatwoot/testing/remote';

jest.setTimeout(600_000);

const SEED = 5;
const LOADER = path.join(__dirname, '..', 'support', 'run-typescript.cjs');

it('the run is the same against an existing Chatwoot, and leaves nothing of its own in it', async () => {
  const double = await startChatwootDouble({ version: '4.14' });
  const own = mkdtempSync(path.join(tmpdir(), 'support-torture-test-'));
  try {
    const there = await runTorture({
      seed: SEED,
      seconds: 10,
      services: 2,
      sessions: 4,
      folder: own,
      loader: LOADER,
      log: () => undefined,
      chatwoot: { url: double.baseUrl, platformToken: double.platformToken, publicUrl: null },
    });
    const faults = there.findings.filter(({ column }) => column !== 'idle');
    if (!isClean({ findings: faults, isLate: there.isLate }))
      throw new Error(`${renderVerdict(there)}\nThe run is kept in ${own}.`);
    expect(there.tally.endUserMessages).toBeGreaterThan(0);
    // Its account stays, empty and suspended: Chatwoot cannot list accounts any more once one was deleted.
    const remote = new ChatwootApi(double.baseUrl, double.platformToken);
    const left: { id: number; name: string; status: string }[] = await remote.platform('GET', '/accounts');
    expect(left).toEqual([
      expect.objectContaining({ name: expect.stringMatching(/^removed: Support torture /), status: 'suspended' }),
    ]);
    expect(await remote.census()).toMatchObject({ people: 0 });
    const account = left[0]!.id;
    await remote.platform('PATCH', `/accounts/${account}`, { status: 'active' });
    const { id: auditor } = await remote.platform('POST', '/users', {
      name: 'Ada',
      email: 'ada@acme.example',
      password: 'Passw0rd!x',
    });
    await remote.platform('POST', `/accounts/${account}/account_users`, { user_id: auditor, role: 'administrator' });
    expect(await remote.census()).toEqual({
      accounts: 1,
      people: 1,
      bots: 0,
      inboxes: 0,
      contacts: 0,
      conversations: 0,
      teams: 0,
    });
    rmSync(own, { recursive: true, force: true });
  } finally {
    await double.stop();
  }
});
