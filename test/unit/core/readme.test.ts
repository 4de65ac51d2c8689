import { readFileSync } from 'node:fs';
import path from 'node:path';
import { HANDOFF_CAUSES, HANDOFF_TRANSITIONS } from '../../../src/core/handoff-transitions';
import { HANDOFF_STATES } from '../../../src/core/handoff';

it('the table in src/core/README.md equals the state machine', () => {
  const lines = readFileSync(path.join(__dirname, '../../../src/core/README.md'), 'utf8').split('\n');
  const cells = (line: string) =>
    line
      .split('|')
      .slice(1, -1)
      .map(cell => cell.trim());
  const start = lines.findIndex(line => line.startsWith('| from \\ cause'));
  const columns = cells(lines[start]!)
    .slice(1)
    .map(cell => cell.split(', '));
  expect(columns.flat().sort()).toEqual([...HANDOFF_CAUSES].sort());
  const rows = lines.slice(start + 2, start + 2 + HANDOFF_STATES.length).map(cells);
  expect(rows.map(row => row[0])).toEqual([...HANDOFF_STATES]);
  for (const [state, ...targets] of rows)
    targets.forEach((target, i) => {
      for (const cause of columns[i]!)
        expect([state, cause, target]).toEqual([
          state,
          cause,
          HANDOFF_TRANSITIONS[state as 'ENDED'][cause as 'END'] ?? '',
        ]);
    });
});
