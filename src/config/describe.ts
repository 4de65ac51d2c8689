import { isGiven, type Environment } from './load';
import { SETTINGS, type SettingKey } from './settings';

/** Every setting as it is in force, one a line, secrets hidden. For settings that have been found right. */
export function describeSettings(env: Environment): string {
  const keys = Object.keys(SETTINGS) as SettingKey[];
  const width = Math.max(...keys.map(key => key.length));
  return keys.map(key => `${key.padEnd(width)}  ${valueOf(env, key)}`).join('\n');
}

function valueOf(env: Environment, key: SettingKey): string {
  const setting = SETTINGS[key];
  if (!isGiven(env, key)) return setting.default === null ? '(not set)' : `${setting.default}  (default)`;
  return setting.isSecret ? '(hidden)' : env[key]!.trim();
}
