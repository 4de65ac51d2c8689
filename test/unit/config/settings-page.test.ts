import { readFileSync } from 'node:fs';
import path from 'node:path';
import { SETTINGS, type Setting, type SettingKey } from '../../../src/config/settings';

const page = readFileSync(path.join(__dirname, '../../../docs/settings.md'), 'utf8');
const rows = [...page.matchAll(/^\| `([A-Z0-9_]+)` \| (.*?) \| (.*?) \| (.*?) \|$/gm)].map(
  ([, key, fallback, expected]) => ({ key: key!, fallback: fallback!, expected: expected! }),
);
const settings = Object.entries(SETTINGS) as [SettingKey, Setting][];

it('has exactly one row for every setting, and no row for anything else', () => {
  expect(rows.map(row => row.key).sort()).toEqual(settings.map(([key]) => key).sort());
});

it.each(settings)('describes for %s the expected value and the default that the code has', (key, setting) => {
  const row = rows.find(({ key: documented }) => documented === key)!;
  expect(row.expected).toBe(setting.expected);
  if (setting.default !== null) expect(row.fallback).toBe(`\`${setting.default}\``);
  else expect(row.fallback).not.toBe('');
});

const plain = settings.filter(([, setting]) => !setting.example.includes('$('));
it.each(plain)('gives a valid example for %s', (_key, setting) => {
  expect(setting.schema.safeParse(setting.example).success).toBe(true);
});

it.each(settings.filter(([, setting]) => setting.default !== null))('gives a valid default for %s', (_key, setting) => {
  expect(setting.schema.safeParse(setting.default!).success).toBe(true);
});

// An example key that can be copied would end up in production; a command creates a new one.
it.each(settings.filter(([, setting]) => setting.example.includes('$(')))(
  'gives for %s an example command that creates a new secret',
  (_key, setting) => {
    const made = setting.example
      .slice(1, -1)
      .replaceAll('$(openssl rand -base64 32)', () => Buffer.alloc(32, 9).toString('base64'))
      .replaceAll('$(openssl rand -hex 32)', (_command, at: number) => Buffer.alloc(32, at + 1).toString('hex'));
    expect(setting.isSecret).toBe(true);
    expect(setting.schema.safeParse(made).success).toBe(true);
  },
);
