import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { checkEvidence } from '../../scripts/torture/check-evidence';
import { readEvidence } from '../../scripts/torture/record';
import { isClean, renderVerdict, type Verdict } from '../../scripts/torture/report';
import { runTorture } from '../../scripts/torture/run';

jest.setTimeout(600_000);

const SEED = 5;
const LOADER = path.join(__dirname, '..', 'support', 'run-typescript.cjs');
let folder: string;
let verdict: Verdict;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'support-torture-test-'));
  verdict = await runTorture({
    seed: SEED,
    seconds: 25,
    services: 2,
    sessions: 6,
    folder,
    chatwoot: null,
    loader: LOADER,
    log: () => undefined,
  });
});
afterAll(() => {
  if (isClean(verdict)) rmSync(folder, { recursive: true, force: true });
});

it('nothing is lost, doubled, out of order, over a human, leaked or stuck after half a minute of all faults', () => {
  // How much happens in half a minute depends on the machine.
  const faults = verdict.findings.filter(({ column }) => column !== 'idle');
  if (!isClean({ findings: faults, isLate: verdict.isLate }))
    throw new Error(`${renderVerdict(verdict)}\nThe run is kept in ${folder}.`);
});

it('the run has exercised what it judged', () => {
  expect(verdict.tally.endUserMessages).toBeGreaterThan(0);
  expect(verdict.tally.botMessages).toBeGreaterThan(0);
  expect(Object.keys(verdict.disruptions)).not.toHaveLength(0);
  // So few are pushed in a few seconds that chance may spare them all.
  for (const { hop, counts } of verdict.faults)
    if (hop !== 'service to runtime')
      expect({ hop, faults: Object.keys(counts).length }).not.toEqual({ hop, faults: 0 });
});

it('the run leaves evidence that can be judged again, and no database', () => {
  const evidence = readEvidence(folder);
  expect(checkEvidence(evidence)).toEqual(verdict.findings);
  expect(evidence.log.length).toBeGreaterThan(0);
  expect(
    readdirSync(folder)
      .filter(name => !name.startsWith('service-'))
      .sort(),
  ).toEqual(['far-side.json', 'invocations.jsonl', 'received.jsonl']);
});
