import type { z } from 'zod';
import {
  baseUrl,
  botKeys,
  bucketName,
  fileTypes,
  host,
  key256,
  keySetUrl,
  logLevel,
  name,
  objectPrefix,
  onOff,
  postgresUrl,
  allowedPrivateAddresses,
  text,
  wholeNumber,
} from './values';
import { bytes, days, define, fileBytes, seconds } from './setting';

/** All settings that the service reads. A test keeps docs/settings.md in sync with them. */
export const SETTINGS = {
  HOST: define({
    schema: host,
    default: '127.0.0.1',
    expected: 'an IP address or host name to listen on',
    example: '0.0.0.0',
  }),
  PORT: define({
    schema: wholeNumber(0, 65_535),
    default: '4000',
    expected: 'a whole number from 0 (any free port) to 65535',
    example: '4000',
  }),
  SUPPORT_PUBLIC_URL: define({
    schema: baseUrl,
    default: null,
    expected: 'an http or https URL without credentials, query or fragment',
    example: 'https://support.example.com',
  }),

  DATABASE_URL: define({
    schema: postgresUrl,
    default: null,
    expected: 'a postgres:// or postgresql:// URL that names a database',
    example: 'postgres://support:password@db.internal:5432/support',
    isSecret: true,
  }),
  SUPPORT_DATA_DIR: define({
    schema: name,
    default: './data',
    expected: 'a folder that this process may write',
    example: './data',
  }),
  SUPPORT_MEDIA_DIR: define({
    schema: name,
    default: null,
    expected: 'a folder that this process may write; the same one for all replicas',
    example: '/var/lib/support/media',
  }),
  SUPPORT_MEDIA_DAYS: define({
    schema: wholeNumber(1, 36_500),
    default: null,
    expected: 'whole days from 1 to 36500',
    example: '90',
  }),
  SUPPORT_MEDIA_MAX_BYTES_FROM_AGENTS: fileBytes('104857600'),
  SUPPORT_MEDIA_MAX_BYTES_TO_AGENTS: fileBytes('41943040'),
  SUPPORT_MEDIA_REFUSED_TYPES: define({
    schema: fileTypes,
    default: '.exe,.msi,.com,.scr,.bat,.cmd,.ps1,.vbs,application/x-msdownload,application/x-msdos-program',
    expected: 'none, or MIME types (image/png, video/*) and file name extensions (.exe), separated by commas',
    example: '.exe,.apk,video/*',
  }),
  SUPPORT_S3_BUCKET: define({
    schema: bucketName,
    default: null,
    expected: 'the name of a bucket',
    example: 'support-files',
  }),
  SUPPORT_S3_REGION: define({
    schema: text(1, 100),
    default: null,
    expected: 'the region of the bucket, in one word',
    example: 'eu-central-1',
  }),
  SUPPORT_S3_ENDPOINT: define({
    schema: baseUrl,
    default: null,
    expected: 'an http or https URL without credentials, query or fragment',
    example: 'http://minio.internal:9000',
  }),
  SUPPORT_S3_PREFIX: define({
    schema: objectPrefix,
    default: 'support/',
    expected: 'letters, digits and !-_.*()/, ending in /',
    example: 'support/',
  }),
  SUPPORT_S3_ACCESS_KEY_ID: define({
    schema: text(3, 1_000),
    default: null,
    expected: 'at least 3 printable characters without spaces',
    example: 'AKIAIOSFODNN7EXAMPLE',
  }),
  SUPPORT_S3_SECRET_ACCESS_KEY: define({
    schema: text(8, 1_000),
    default: null,
    expected: 'at least 8 printable characters without spaces',
    example: 'the-secret-of-the-access-key',
    isSecret: true,
  }),
  SUPPORT_POOL_SIZE: define({
    schema: wholeNumber(4, 400),
    default: '16',
    expected: 'a whole number from 4 to 400',
    example: '16',
  }),
  SUPPORT_SECRET_KEY: define({
    schema: key256,
    default: null,
    expected: '32 random bytes as base64 or as 64 hex digits',
    example: '"$(openssl rand -base64 32)"',
    isSecret: true,
  }),

  SUPPORT_JWT_JWKS_URL: define({
    schema: keySetUrl,
    default: null,
    expected: 'an https URL of a JSON Web Key Set (http only on this machine), without credentials',
    example: 'https://login.example.com/.well-known/jwks.json',
  }),
  SUPPORT_JWT_SHARED_KEY: define({
    schema: text(32),
    default: null,
    expected: 'at least 32 printable characters without spaces',
    example: '"$(openssl rand -hex 32)"',
    isSecret: true,
  }),
  SUPPORT_JWT_ISSUER: define({
    schema: name,
    default: null,
    expected: 'the exact `iss` claim of the tokens',
    example: 'https://login.example.com/',
  }),
  SUPPORT_JWT_AUDIENCE: define({
    schema: name,
    default: null,
    expected: 'the exact `aud` claim of the tokens',
    example: 'support',
  }),
  SUPPORT_GATEWAY_SECRET: define({
    schema: text(32),
    default: null,
    expected: 'at least 32 printable characters without spaces',
    example: '"$(openssl rand -hex 32)"',
    isSecret: true,
  }),
  SUPPORT_BOT_KEYS: define({
    schema: botKeys,
    default: null,
    expected: 'organization=key pairs, separated by commas, each key unique and with at least 32 characters',
    example: '"org-a=$(openssl rand -hex 32),org-b=$(openssl rand -hex 32)"',
    isSecret: true,
  }),
  SUPPORT_EXAMPLE: define({
    schema: onOff,
    default: null,
    expected: 'on or off',
    example: 'off',
  }),

  SUPPORT_DRAIN_LIMIT_SECONDS: seconds('30', 3_600),
  SUPPORT_LIVE_SCAN_INTERVAL_SECONDS: seconds('20', 3_600),
  SUPPORT_FULL_SCAN_INTERVAL_SECONDS: seconds('300', 3_600),
  SUPPORT_CHECK_INTERVAL_SECONDS: seconds('900', 86_400),
  SUPPORT_PROVIDER_TIMEOUT_MS: define({
    schema: wholeNumber(100, 120_000),
    default: '10000',
    expected: 'whole milliseconds from 100 to 120000',
    example: '10000',
  }),
  SUPPORT_LEASE_SECONDS: define({
    schema: wholeNumber(2, 300),
    default: '10',
    expected: 'whole seconds from 2 to 300',
    example: '10',
  }),

  SUPPORT_STOP_GRACE_SECONDS: define({
    schema: wholeNumber(0, 10),
    default: '3',
    expected: 'whole seconds from 0 to 10',
    example: '3',
  }),
  SUPPORT_MAX_OPERATIONS: define({
    schema: wholeNumber(1, 100_000),
    default: '256',
    expected: 'a whole number from 1 to 100000',
    example: '256',
  }),
  SUPPORT_MAX_OPERATION_COST: define({
    schema: wholeNumber(1_000, 1_000_000),
    default: '50000',
    expected: 'a whole number from 1000 to 1000000',
    example: '50000',
  }),
  SUPPORT_MAX_REPRESENTATIONS: define({
    schema: wholeNumber(100, 100_000),
    default: '10000',
    expected: 'a whole number from 100 to 100000',
    example: '10000',
  }),
  SUPPORT_MAX_RESULT_BYTES: bytes('16777216', 1_048_576),
  SUPPORT_OPERATION_TIMEOUT_MS: define({
    schema: wholeNumber(1_000, 300_000),
    default: '30000',
    expected: 'whole milliseconds from 1000 to 300000',
    example: '30000',
  }),
  SUPPORT_MAX_SOCKETS: define({
    schema: wholeNumber(1, 1_000_000),
    default: '10000',
    expected: 'a whole number from 1 to 1000000',
    example: '10000',
  }),
  SUPPORT_KEEP_EVENTS_DAYS: days('365'),
  SUPPORT_KEEP_MESSAGES_DAYS: days('365'),
  SUPPORT_KEEP_DELIVERIES_DAYS: days('30'),
  SUPPORT_KEEP_IDEMPOTENCY_KEYS_DAYS: days('7', 7),
  SUPPORT_KEEP_SESSIONS_DAYS: days('365'),
  SUPPORT_PUSH_TIMEOUT_MS: define({
    schema: wholeNumber(1_000, 25_000),
    default: '15000',
    expected: 'whole milliseconds from 1000 to 25000',
    example: '15000',
  }),
  SUPPORT_PUSH_DISABLE_AFTER_DAYS: define({
    schema: wholeNumber(1, 30),
    default: '5',
    expected: 'whole days from 1 to 30',
    example: '5',
  }),
  SUPPORT_ALLOW_PRIVATE_ADDRESSES: define({
    schema: allowedPrivateAddresses,
    default: null,
    expected: 'none, all, or host names, IP addresses and networks separated by commas',
    example: 'support.internal,10.20.0.0/16',
  }),

  SUPPORT_GRAPHQL_BODY_LIMIT_BYTES: bytes('1048576', 262_144),
  SUPPORT_WEBHOOK_BODY_LIMIT_BYTES: bytes('4194304', 65_536),
  SUPPORT_PROVIDER_BODY_LIMIT_BYTES: bytes('8388608', 65_536),

  LOG_LEVEL: define({
    schema: logLevel,
    default: 'info',
    expected: 'one of trace, debug, info, warn, error, fatal, silent',
    example: 'info',
  }),
};

export type { Setting } from './setting';
export type SettingKey = keyof typeof SETTINGS;
export type SettingValues = { readonly [K in SettingKey]: z.output<(typeof SETTINGS)[K]['schema']> | null };
