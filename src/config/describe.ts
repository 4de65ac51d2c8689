import { isSet, type Environment } from './load';
import { SETTINGS, type SettingKey } from './settings';

/** Lists the effective value of every setting, one per line, with secrets hidden. Expects valid settings. */
export function describeSettings(env: Environment): string {
  const keys = Object.keys(SETTINGS) as SettingKey[];
  const width = Math.max(...keys.map(key => key.length));
  return keys.map(key => `${key.padEnd(width)}  ${valueOf(env, key)}`).join('\n');
}

function valueOf(env: Environment, key: SettingKey): string {
  const setting = SETTINGS[key];
  if (!isSet(env, key)) return setting.default === null ? '(not set)' : `${setting.default}  (default)`;
  return setting.isSecret ? '(hidden)' : env[key]!.trim();
}
