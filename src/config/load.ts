import { isLoopbackHost } from '../identity/loopback-host';
import { ConfigError, type ConfigProblem } from './config-error';
import { SETTINGS, type SettingKey, type SettingValues } from './settings';
import { unknownKeyProblems } from './unknown-keys';

export type Environment = Readonly<Record<string, string | undefined>>;

const KEYS = Object.keys(SETTINGS) as SettingKey[];
/** Settings each of which alone makes identification mandatory. */
export const IDENTITY_KEYS = [
  'SUPPORT_JWT_JWKS_URL',
  'SUPPORT_JWT_SHARED_KEY',
  'SUPPORT_GATEWAY_SECRET',
  'SUPPORT_BOT_KEYS',
] as const satisfies readonly SettingKey[];

/** Reads all settings. @throws ConfigError with all problems */
export function readSettings(env: Environment): SettingValues {
  const problems: ConfigProblem[] = [];
  const values: Partial<Record<SettingKey, unknown>> = {};
  for (const key of KEYS) {
    const setting = SETTINGS[key];
    const given = readText(env, key) ?? setting.default;
    if (given === null) {
      values[key] = null;
      continue;
    }
    const parsed = setting.schema.safeParse(given);
    if (parsed.success) values[key] = parsed.data;
    else problems.push(createProblem(env, key, setting.expected));
  }
  problems.push(...unknownKeyProblems(env), ...combinationProblems(env));
  if (problems.length > 0) throw new ConfigError(problems);
  return values as SettingValues;
}

/**
 * Returns the trimmed value. An empty value counts as absent, because compose files write absent values like that. Not
 * for secrets: a secret that is empty by mistake would leave the service open.
 */
function readText(env: Environment, key: SettingKey): string | undefined {
  const given = env[key]?.trim();
  return given === '' && !SETTINGS[key].isSecret ? undefined : given;
}

export const isSet = (env: Environment, key: SettingKey): boolean => readText(env, key) !== undefined;

/** Returns the conflicts between settings. Checks only which settings are given, not whether they are valid. */
function combinationProblems(env: Environment): readonly ConfigProblem[] {
  const has = (key: SettingKey) => isSet(env, key);
  const problems: ConfigProblem[] = [];
  const hasJwt = has('SUPPORT_JWT_JWKS_URL') || has('SUPPORT_JWT_SHARED_KEY');
  const host = readText(env, 'HOST');

  if (has('SUPPORT_JWT_JWKS_URL') && has('SUPPORT_JWT_SHARED_KEY'))
    problems.push(
      createProblem(
        env,
        'SUPPORT_JWT_SHARED_KEY',
        'only one of SUPPORT_JWT_JWKS_URL and SUPPORT_JWT_SHARED_KEY',
        'unset SUPPORT_JWT_SHARED_KEY',
      ),
    );
  for (const key of ['SUPPORT_JWT_ISSUER', 'SUPPORT_JWT_AUDIENCE'] as const)
    if (has(key) && !hasJwt)
      problems.push(
        createProblem(
          env,
          key,
          'a key for verifying tokens: set SUPPORT_JWT_JWKS_URL or SUPPORT_JWT_SHARED_KEY too',
          exampleLine('SUPPORT_JWT_JWKS_URL'),
        ),
      );
  if (
    host !== undefined &&
    SETTINGS.HOST.schema.safeParse(host).success &&
    !isLoopbackHost(host) &&
    !IDENTITY_KEYS.some(has)
  )
    problems.push(
      createProblem(
        env,
        'HOST',
        `127.0.0.1, ::1 or localhost, because callers need no credentials; to serve other machines set one of ${IDENTITY_KEYS.join(', ')}`,
        exampleLine('SUPPORT_GATEWAY_SECRET'),
      ),
    );
  problems.push(...bucketProblems(env));
  if (has('DATABASE_URL') && !has('SUPPORT_SECRET_KEY'))
    problems.push(
      createProblem(
        env,
        'SUPPORT_SECRET_KEY',
        `${SETTINGS.SUPPORT_SECRET_KEY.expected}, the same for every replica: with DATABASE_URL no key is generated in the data folder`,
      ),
    );
  return problems;
}

/** Requires the bucket for the other settings of S3, and a region, for which the library would otherwise search. */
function bucketProblems(env: Environment): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const requireTogether = (key: SettingKey, partner: SettingKey, expected: string): void => {
    if (isSet(env, partner) && !isSet(env, key)) problems.push(createProblem(env, key, expected));
  };
  requireTogether(
    'SUPPORT_S3_REGION',
    'SUPPORT_S3_BUCKET',
    'the region of SUPPORT_S3_BUCKET; us-east-1 for servers without regions',
  );
  requireTogether(
    'SUPPORT_S3_ACCESS_KEY_ID',
    'SUPPORT_S3_SECRET_ACCESS_KEY',
    'the id of the access key whose secret is SUPPORT_S3_SECRET_ACCESS_KEY',
  );
  requireTogether('SUPPORT_S3_SECRET_ACCESS_KEY', 'SUPPORT_S3_ACCESS_KEY_ID', 'the secret of SUPPORT_S3_ACCESS_KEY_ID');
  const stray = S3_KEYS.find(key => isSet(env, key));
  if (stray !== undefined && !isSet(env, 'SUPPORT_S3_BUCKET'))
    problems.push(createProblem(env, 'SUPPORT_S3_BUCKET', `the bucket to which ${stray} applies`));
  return problems;
}

const S3_KEYS = [
  'SUPPORT_S3_REGION',
  'SUPPORT_S3_ENDPOINT',
  'SUPPORT_S3_PREFIX',
  'SUPPORT_S3_ACCESS_KEY_ID',
  'SUPPORT_S3_SECRET_ACCESS_KEY',
] as const satisfies readonly SettingKey[];

const exampleLine = (key: SettingKey): string => `${key}=${SETTINGS[key].example}`;

function createProblem(env: Environment, key: SettingKey, expected: string, example = exampleLine(key)): ConfigProblem {
  return { key, given: displayValue(env, key), expected, example };
}

/** Returns the value for an error. Also hides a value with `@`, which may be a URL with a password. */
function displayValue(env: Environment, key: SettingKey): string {
  const given = env[key]?.trim();
  if (given === undefined) return '(nothing)';
  if (given === '') return '(empty)';
  if (SETTINGS[key].isSecret || given.includes('@')) return '(hidden)';
  const printable = given.replace(/[^\x20-\x7e]/g, '?');
  return printable.length > 120 ? `${printable.slice(0, 120)}…` : printable;
}
