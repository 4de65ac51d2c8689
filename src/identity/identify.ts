import type { Caller } from '../core/caller';
import { AccessError } from '../core/request-errors';
import { callerOfHeaders } from './claims';
import { jwtVerifier, type IdentityLimits, type JwtOptions } from './json-web-token';
import { requireLocalCaller } from './loopback';
import { readClaims, readIdentityValues, type Credentials } from './identity-values';
import { keyRing, secretMatcher, type BotKey } from './secrets';

export type { Credentials } from './identity-values';
export type { BotKey } from './secrets';
export { IdentityUnavailableError } from './json-web-token';

/** The accepted credentials. If all are null or empty, callers need none, and only this machine is served. */
export interface IdentityOptions {
  readonly jwt: JwtOptions | null;
  readonly gatewaySecret: string | null;
  readonly botKeys: readonly BotKey[];
}

/**
 * Identifies the caller. Used for HTTP, SSE, WebSocket and provider pages.
 * @throws AccessError UNAUTHENTICATED for missing or wrong credentials, FORBIDDEN if valid ones lack an organization or
 *   role
 * @throws IdentityUnavailableError if tokens cannot be verified at the moment
 */
export type Identify = (credentials: Credentials) => Promise<Caller>;

/** The caller of a service without identity settings. */
export const UNCONFIGURED_CALLER: Caller = { organizationId: 'org-example', role: 'operator', userId: null };

/**
 * Creates the identification. Exactly one credential counts: the gateway's secret if present, otherwise a bot key,
 * otherwise the bearer token. If that one is wrong, a valid other one does not help.
 */
export function createIdentify({ jwt, gatewaySecret, botKeys }: IdentityOptions, limits: IdentityLimits): Identify {
  if (jwt === null && gatewaySecret === null && botKeys.length === 0) return identifyLocal;
  const isGateway = gatewaySecret === null ? () => false : secretMatcher(gatewaySecret);
  const organizationOfBot = keyRing(botKeys);
  const callerOfToken = jwt === null ? null : jwtVerifier(jwt, limits);

  const bot = (key: string): Caller | null => {
    const organizationId = organizationOfBot(key);
    return organizationId === null ? null : { organizationId, role: 'bot', userId: null };
  };

  return async credentials => {
    const values = readIdentityValues(credentials);
    const { 'x-support-gateway-secret': secret, 'x-support-bot-key': botKey, authorization } = values;
    if (secret !== undefined) {
      if (!isGateway(secret)) throw new AccessError('UNAUTHENTICATED', 'x-support-gateway-secret is wrong.');
      return callerOfHeaders(values, { organizationId: null, role: 'gateway' });
    }
    if (botKey !== undefined)
      return bot(botKey) ?? rejectCredentials('x-support-bot-key is not a key of any organization.');
    if (authorization === undefined)
      return rejectCredentials('The request has no credentials. Send a gateway secret, a bot key or a bearer token.');

    const token = /^bearer +(\S+)$/i.exec(authorization)?.[1];
    if (token === undefined)
      return rejectCredentials('The authorization header is malformed. Send "Bearer" and one token.');
    const known = bot(token);
    if (known !== null) return known;
    return callerOfToken === null
      ? rejectCredentials('The bearer token is not a key of any organization.')
      : callerOfToken(token);
  };
}

const identifyLocal: Identify = async credentials => {
  requireLocalCaller(credentials);
  return callerOfHeaders(readClaims(credentials), UNCONFIGURED_CALLER);
};

function rejectCredentials(message: string): never {
  throw new AccessError('UNAUTHENTICATED', message);
}
