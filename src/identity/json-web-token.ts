import { errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey, type JWTVerifyOptions } from 'jose';
import type { Caller } from '../core/caller';
import { AccessError } from '../core/request-errors';
import { SupportError } from '../core/errors';
import { idClaim, roleClaim } from './claims';
import { remoteKeySet } from './key-set';

export interface JwtOptions {
  readonly jwksUrl: string | null;
  readonly sharedKey: string | null;
  readonly issuer: string | null;
  readonly audience: string | null;
}

/** In milliseconds. `keySetMs`: limit of fetching the key set. */
export interface IdentityLimits {
  readonly keySetMs: number;
}

/** The key set could not be fetched, so the token's validity is unknown. The same token may be accepted in a moment. */
export class IdentityUnavailableError extends SupportError {
  readonly code = 'IDENTITY_UNAVAILABLE';
}

/** A shared key never verifies a token with a public-key algorithm, and vice versa. */
const SHARED_KEY_ALGORITHMS = ['HS256'];
const PUBLIC_KEY_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
];
const CLOCK_TOLERANCE_SECONDS = 5;

/**
 * Creates the verification of tokens. The caller comes from the claims `org` (or `organization_id`), `role` and `sub`.
 */
export function jwtVerifier(options: JwtOptions, { keySetMs }: IdentityLimits): (token: string) => Promise<Caller> {
  const checks: JWTVerifyOptions = {
    algorithms: options.sharedKey === null ? PUBLIC_KEY_ALGORITHMS : SHARED_KEY_ALGORITHMS,
    requiredClaims: ['exp'],
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
    ...(options.issuer === null ? {} : { issuer: options.issuer }),
    ...(options.audience === null ? {} : { audience: options.audience }),
  };
  const verify =
    options.sharedKey === null
      ? withKeySet(remoteKeySet({ url: options.jwksUrl!, limitMs: keySetMs, now: () => performance.now() }), checks)
      : withSharedKey(new TextEncoder().encode(options.sharedKey), checks);
  return async token => {
    try {
      return callerOf((await verify(token)).payload);
    } catch (error) {
      throw error instanceof SupportError ? error : translateError(error);
    }
  };
}

type Verify = (token: string) => Promise<{ payload: JWTPayload }>;
const withSharedKey =
  (key: Uint8Array, checks: JWTVerifyOptions): Verify =>
  token =>
    jwtVerify(token, key, checks);
const withKeySet =
  (keys: JWTVerifyGetKey, checks: JWTVerifyOptions): Verify =>
  token =>
    jwtVerify(token, keys, checks);

function callerOf(payload: JWTPayload): Caller {
  const org = idClaim('org', payload['org']);
  const organization = idClaim('organization_id', payload['organization_id']);
  const role = roleClaim('role', payload['role']);
  const organizationId = org ?? organization;
  if (organizationId === null || (organization !== null && organization !== organizationId))
    throw new AccessError(
      'FORBIDDEN',
      'The token names no organization, or two different ones. Set it in the claim org or organization_id.',
    );
  if (role === null) throw new AccessError('FORBIDDEN', 'The token has no claim role. Set it.');
  return { organizationId, role, userId: idClaim('sub', payload.sub) };
}

function translateError(error: unknown): Error {
  if (error instanceof errors.JWTExpired)
    return new AccessError('UNAUTHENTICATED', 'The token has expired; fetch a new one.');
  if (error instanceof errors.JWTClaimValidationFailed)
    return new AccessError('UNAUTHENTICATED', `The token's claim ${error.claim} is missing or wrong.`);
  const isOurFault =
    error instanceof errors.JWKSTimeout ||
    error instanceof errors.JWKSInvalid ||
    error instanceof errors.JWKInvalid ||
    !(error instanceof errors.JOSEError) ||
    error.code === 'ERR_JOSE_GENERIC';
  return isOurFault
    ? new IdentityUnavailableError(
        'The key set at SUPPORT_JWT_JWKS_URL could not be read, so tokens cannot be verified. Try again later.',
        { cause: error },
      )
    : new AccessError(
        'UNAUTHENTICATED',
        'The token is invalid, or this service does not trust its issuer. Fetch a new one.',
      );
}
