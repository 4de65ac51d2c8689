import { noise } from './cases/noise';
import { runCase, recordedFiles, type RecordedCase } from './cases/run-case';
import { signed } from './cases/signed';
import { states } from './cases/states';
import { surveys } from './cases/surveys';
import { agentWords, otherWords } from './cases/words';

const FAMILIES: readonly (readonly [string, readonly RecordedCase[]])[] = [
  ['what agents say', agentWords],
  ['what nobody said', otherWords],
  ['surveys', surveys],
  ['what is done with a conversation', states],
  ['noise', noise],
  ['signed', signed],
];

it('each of the 62 recorded webhooks is played', () => {
  const played = new Set(FAMILIES.flatMap(([, cases]) => cases.map(({ file }) => file)));
  expect([...played].sort()).toEqual([...recordedFiles].sort());
  expect(played.size).toBe(62);
});

describe.each(FAMILIES)('%s', (_family, cases) => {
  it.each(cases.map(one => [`${one.file}: ${one.effectName}`, one] as const))('%s', (_name, one) => runCase(one));
});
