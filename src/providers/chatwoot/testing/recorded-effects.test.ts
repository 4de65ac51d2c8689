import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describeFamily, FAMILIES } from './cases/families';
import { recordedFiles } from './cases/run-case';

it('each of the 62 recorded webhooks is replayed', () => {
  const replayed = new Set(Object.values(FAMILIES).flatMap(cases => cases.map(({ file }) => file)));
  expect([...replayed].sort()).toEqual([...recordedFiles].sort());
  expect(replayed.size).toBe(62);
});

it('every family has a test file', () => {
  const folder = readdirSync(__dirname).filter(name => /^recorded-effects\..*test\.ts$/.test(name));
  const described = folder.flatMap(name =>
    [...readFileSync(path.join(__dirname, name), 'utf8').matchAll(/describeFamily\('([^']+)'\)/g)].map(
      ([, family]) => family,
    ),
  );
  expect(described.sort()).toEqual(Object.keys(FAMILIES).sort());
});

describeFamily('surveys');
describeFamily('signed');
describeFamily('noise');
