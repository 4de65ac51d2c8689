import type { Caller } from '../core/caller';
import { AccessError } from '../core/errors';
import { callerOfHeaders } from './claims';
import { jwtVerifier, type IdentityLimits, type JwtOptions } from './json-web-token';
import { requireLocalCaller } from './loopback';
import { claimedBy, presentedBy, type Credentials } from './presented';
import { keyRing, secretMatcher, type BotKey } from './secrets';

export type { Credentials } from './presented';
export type { BotKey } from './secrets';
export { IdentityUnavailableError } from './json-web-token';

/** How callers prove who they are. All null and empty: nobody has to, and only this machine is served. */
export interface IdentityOptions {
  readonly jwt: JwtOptions | null;
  readonly gatewaySecret: string | null;
  readonly botKeys: readonly BotKey[];
}

/**
 * Says who calls. The one way in for HTTP, SSE, WebSocket and provider pages.
 * @throws AccessError UNAUTHENTICATED without a proof or with a wrong one, FORBIDDEN when the proof is right but does not
 *   say for whom
 * @throws IdentityUnavailableError when tokens cannot be checked now
 */
export type Identify = (credentials: Credentials) => Promise<Caller>;

/** Who is served before anything is configured. */
export const EXAMPLE_CALLER: Caller = { organizationId: 'org-example', role: 'operator', userId: null };

/**
 * One proof decides alone: the gateway's secret if it is given, else a bot key, else the bearer token. A wrong one is
 * refused even when another, right one stands beside it.
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
    const presented = presentedBy(credentials);
    const { 'x-support-gateway-secret': secret, 'x-support-bot-key': botKey, authorization } = presented;
    if (secret !== undefined) {
      if (!isGateway(secret)) throw new AccessError('UNAUTHENTICATED', 'x-support-gateway-secret is wrong.');
      return callerOfHeaders(presented, { organizationId: null, role: 'gateway' });
    }
    if (botKey !== undefined) return bot(botKey) ?? wrong('x-support-bot-key is not a key of any organization.');
    if (authorization === undefined) return wrong('The call carries no proof of who it is: a gateway secret, a bot key or a bearer token.');

    const token = /^bearer +(\S+)$/i.exec(authorization)?.[1];
    if (token === undefined) return wrong('authorization must be "Bearer" and one token.');
    const known = bot(token);
    if (known !== null) return known;
    return callerOfToken === null ? wrong('The bearer token is not a key of any organization.') : callerOfToken(token);
  };
}

const identifyLocal: Identify = async credentials => {
  requireLocalCaller(credentials);
  return callerOfHeaders(claimedBy(credentials), EXAMPLE_CALLER);
};

function wrong(message: string): never {
  throw new AccessError('UNAUTHENTICATED', message);
}
