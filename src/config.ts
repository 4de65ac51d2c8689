import path from 'node:path';
import { isLoopback } from './addresses';
import { IDENTITY_KEYS, isSet, readSettings, type Environment } from './config/load';
import { authorityOf } from './config/network';
import type { SettingValues } from './config/settings';
import type { FileRules } from './core/files';
import type { IdentityOptions } from './identity/identify';

export { ConfigError, EXIT_CONFIG } from './config/config-error';
export { loadSecretKey } from './config/secret-key';

/** All settings of the environment. Contains secrets: never log it as a whole. */
export interface Config {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** The value of the setting; null: see {@link publicUrlOf}. */
  readonly publicUrl: string | null;
  /** Null: the embedded Postgres in `dataDir`. */
  readonly databaseUrl: string | null;
  readonly dataDir: string;
  /** The settings of the file archive. */
  readonly media: MediaConfig;
  readonly poolSize: number;
  /** Base64; null: stored in `dataDir`, see {@link loadSecretKey}. */
  readonly secretKey: string | null;
  /** If all are null or empty, callers need no credentials, and only this machine is served. */
  readonly identity: IdentityOptions;
  readonly hasIdentity: boolean;
  /** True if the example organization is set up at start. */
  readonly example: boolean;
  readonly drainLimitMs: number;
  readonly liveScanIntervalMs: number;
  readonly fullScanIntervalMs: number;
  readonly checkIntervalMs: number;
  readonly providerTimeoutMs: number;
  /** Time for which requests are still accepted after a SIGTERM, while /readyz reports not ready. */
  readonly stopGraceMs: number;
  readonly maxOperations: number;
  /** Limits of one GraphQL operation. */
  readonly operation: {
    readonly maxCost: number;
    readonly maxRepresentations: number;
    readonly maxResultBytes: number;
    readonly timeoutMs: number;
  };
  readonly maxSockets: number;
  /** Retention periods. */
  readonly keepDays: {
    readonly events: number;
    readonly messages: number;
    readonly deliveries: number;
    readonly idempotencyKeys: number;
    readonly sessions: number;
  };
  readonly push: { readonly timeoutMs: number; readonly disableAfterMs: number };
  /** Private addresses that this service may call for tenants. */
  readonly allowedPrivate: {
    readonly all: boolean;
    readonly hosts: readonly string[];
    readonly networks: readonly string[];
  };
  /** Time for which a replica may keep a claim without renewing it; longer than two calls to a provider. */
  readonly leaseMs: number;
  readonly bodyLimits: { readonly graphqlBytes: number; readonly webhookBytes: number; readonly providerBytes: number };
  readonly logLevel: string;
  /** Sentences for the operator, logged at start. */
  readonly notices: readonly string[];
}

export interface MediaConfig {
  readonly folder: string;
  /** Null: files are in the folder. */
  readonly s3: {
    readonly bucket: string;
    readonly region: string;
    readonly endpoint: string | null;
    readonly prefix: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | null;
  } | null;
  /** Null: files are kept until their messages are deleted. */
  readonly retentionMs: number | null;
  readonly limits: FileRules;
}

/** Reads the settings. @throws ConfigError with all problems */
export function loadConfig(env: Environment): Config {
  const values = readSettings(env);
  const hasIdentity = IDENTITY_KEYS.some(key => isSet(env, key));
  return deepFreeze({
    host: values.HOST!,
    port: values.PORT!,
    publicUrl: values.SUPPORT_PUBLIC_URL,
    databaseUrl: values.DATABASE_URL,
    dataDir: path.resolve(values.SUPPORT_DATA_DIR!),
    media: readMediaConfig(values),
    poolSize: values.SUPPORT_POOL_SIZE!,
    secretKey: values.SUPPORT_SECRET_KEY,
    identity: readIdentity(values),
    hasIdentity,
    example: values.SUPPORT_EXAMPLE ?? (!hasIdentity && values.DATABASE_URL === null),
    drainLimitMs: values.SUPPORT_DRAIN_LIMIT_SECONDS! * 1_000,
    liveScanIntervalMs: values.SUPPORT_LIVE_SCAN_INTERVAL_SECONDS! * 1_000,
    fullScanIntervalMs: values.SUPPORT_FULL_SCAN_INTERVAL_SECONDS! * 1_000,
    checkIntervalMs: values.SUPPORT_CHECK_INTERVAL_SECONDS! * 1_000,
    providerTimeoutMs: values.SUPPORT_PROVIDER_TIMEOUT_MS!,
    stopGraceMs: values.SUPPORT_STOP_GRACE_SECONDS! * 1_000,
    maxOperations: values.SUPPORT_MAX_OPERATIONS!,
    maxSockets: values.SUPPORT_MAX_SOCKETS!,
    operation: {
      maxCost: values.SUPPORT_MAX_OPERATION_COST!,
      maxRepresentations: values.SUPPORT_MAX_REPRESENTATIONS!,
      maxResultBytes: values.SUPPORT_MAX_RESULT_BYTES!,
      timeoutMs: values.SUPPORT_OPERATION_TIMEOUT_MS!,
    },
    keepDays: {
      events: values.SUPPORT_KEEP_EVENTS_DAYS!,
      messages: values.SUPPORT_KEEP_MESSAGES_DAYS!,
      deliveries: values.SUPPORT_KEEP_DELIVERIES_DAYS!,
      idempotencyKeys: values.SUPPORT_KEEP_IDEMPOTENCY_KEYS_DAYS!,
      sessions: values.SUPPORT_KEEP_SESSIONS_DAYS!,
    },
    push: {
      timeoutMs: values.SUPPORT_PUSH_TIMEOUT_MS!,
      disableAfterMs: values.SUPPORT_PUSH_DISABLE_AFTER_DAYS! * 86_400_000,
    },
    allowedPrivate: values.SUPPORT_ALLOW_PRIVATE_ADDRESSES ?? { all: !hasIdentity, hosts: [], networks: [] },
    leaseMs: values.SUPPORT_LEASE_SECONDS! * 1_000,
    bodyLimits: {
      graphqlBytes: values.SUPPORT_GRAPHQL_BODY_LIMIT_BYTES!,
      webhookBytes: values.SUPPORT_WEBHOOK_BODY_LIMIT_BYTES!,
      providerBytes: values.SUPPORT_PROVIDER_BODY_LIMIT_BYTES!,
    },
    logLevel: values.LOG_LEVEL!,
    notices: createNotices(env, values, hasIdentity),
  });
}

/**
 * Returns the URL at which providers reach this service. Without SUPPORT_PUBLIC_URL: this machine at the actual port.
 */
export const publicUrlOf = (config: Pick<Config, 'publicUrl' | 'host' | 'port'>, port = config.port): string =>
  config.publicUrl ?? `http://${authorityOf(config.host, port)}`;

/**
 * Returns whether a provider at that base URL can reach {@link publicUrlOf}; another machine cannot use a loopback
 * address.
 */
export const isReachableFrom = (config: Pick<Config, 'publicUrl' | 'host' | 'port'>, baseUrl: string): boolean =>
  config.publicUrl !== null ||
  !URL.canParse(baseUrl) ||
  isLoopback(new URL(baseUrl).hostname) ||
  !isLoopback(new URL(publicUrlOf(config)).hostname);

function readIdentity(values: SettingValues): IdentityOptions {
  const { SUPPORT_JWT_JWKS_URL: jwksUrl, SUPPORT_JWT_SHARED_KEY: sharedKey } = values;
  return {
    jwt:
      jwksUrl === null && sharedKey === null
        ? null
        : { jwksUrl, sharedKey, issuer: values.SUPPORT_JWT_ISSUER, audience: values.SUPPORT_JWT_AUDIENCE },
    gatewaySecret: values.SUPPORT_GATEWAY_SECRET,
    botKeys: values.SUPPORT_BOT_KEYS ?? [],
  };
}

function readMediaConfig(values: SettingValues): MediaConfig {
  const {
    SUPPORT_S3_BUCKET: bucket,
    SUPPORT_S3_ACCESS_KEY_ID: accessKeyId,
    SUPPORT_S3_SECRET_ACCESS_KEY: secretAccessKey,
  } = values;
  return {
    folder: path.resolve(values.SUPPORT_MEDIA_DIR ?? path.join(values.SUPPORT_DATA_DIR!, 'media')),
    s3:
      bucket === null
        ? null
        : {
            bucket,
            region: values.SUPPORT_S3_REGION!,
            endpoint: values.SUPPORT_S3_ENDPOINT,
            prefix: values.SUPPORT_S3_PREFIX!,
            credentials: accessKeyId === null || secretAccessKey === null ? null : { accessKeyId, secretAccessKey },
          },
    retentionMs: values.SUPPORT_MEDIA_DAYS === null ? null : values.SUPPORT_MEDIA_DAYS * 86_400_000,
    limits: {
      fromAgents: {
        maxBytes: values.SUPPORT_MEDIA_MAX_BYTES_FROM_AGENTS!,
        refusedTypes: values.SUPPORT_MEDIA_REFUSED_TYPES!,
      },
      // Support systems accept programs from end-users, and agents may have to inspect them.
      toAgents: { maxBytes: values.SUPPORT_MEDIA_MAX_BYTES_TO_AGENTS!, refusedTypes: [] },
    },
  };
}

function createNotices(env: Environment, values: SettingValues, hasIdentity: boolean): string[] {
  const notices: string[] = [];
  if (!hasIdentity)
    notices.push(
      `Callers need no credentials, so only programs on this machine are served. To serve other machines set one of ${IDENTITY_KEYS.join(', ')}.`,
    );
  if (values.SUPPORT_JWT_JWKS_URL !== null && values.SUPPORT_JWT_AUDIENCE === null)
    notices.push('SUPPORT_JWT_AUDIENCE is not set: a token of the same issuer for another service is accepted too.');
  if (values.DATABASE_URL !== null && isSet(env, 'SUPPORT_DATA_DIR'))
    notices.push('SUPPORT_DATA_DIR is not used: DATABASE_URL is set.');
  if (values.SUPPORT_S3_BUCKET !== null && isSet(env, 'SUPPORT_MEDIA_DIR'))
    notices.push('SUPPORT_MEDIA_DIR is not used: SUPPORT_S3_BUCKET is set.');
  return notices;
}

function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value) as unknown[]) if (typeof part === 'object' && part !== null) deepFreeze(part);
  return Object.freeze(value);
}
