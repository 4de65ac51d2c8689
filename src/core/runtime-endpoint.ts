import type { ChatbotId, EndpointId, Instant, OrganizationId } from './ids';

/** `UNVERIFIED`: registered, but not verified yet. `DISABLED`: nothing is pushed, and everything stays in the inbox. */
export type RuntimeEndpointState = 'UNVERIFIED' | 'ACTIVE' | 'DISABLED';

/** Why it was disabled: by an operator, by its own 410 response, or after days of failures only. */
export type EndpointDisabledReason = 'OPERATOR' | 'GONE' | 'FAILING';

/** Why a push failed. The codes are stable. */
export type EndpointFailureCode =
  | 'ENDPOINT_UNREACHABLE'
  | 'ENDPOINT_REFUSED'
  | 'ENDPOINT_GONE'
  | 'ENDPOINT_ADDRESS_REFUSED';

/** The address that one organization's runtime wants its deliveries pushed to. */
export interface RuntimeEndpoint {
  readonly id: EndpointId;
  readonly organizationId: OrganizationId;
  /** Null: for every chatbot without an endpoint of its own. */
  readonly chatbotId: ChatbotId | null;
  readonly url: string;
  readonly state: RuntimeEndpointState;
  readonly disabledReason: EndpointDisabledReason | null;
  readonly disabledAt: Instant | null;
  /** The first failure since the last success; null while the last push succeeded. */
  readonly firstFailureAt: Instant | null;
  readonly lastFailureAt: Instant | null;
  readonly lastFailureCode: EndpointFailureCode | null;
  /** The HTTP status of that failure, if there was a response. */
  readonly lastFailureStatus: number | null;
  /** When it was last verified. */
  readonly verifiedAt: Instant | null;
  /** Until when secrets from before the last rotation sign too. */
  readonly previousSecretExpiresAt: Instant | null;
  readonly createdAt: Instant;
}

/** An endpoint with its secrets, decrypted. Never leaves the process, never logged. */
export interface SigningEndpoint extends RuntimeEndpoint {
  /** `whsec_…` */
  readonly secret: string;
  /**
   * Newest first; some may have expired. There can be several, because a caller that lost the response to a rotation
   * rotates again.
   */
  readonly previousSecrets: readonly { readonly secret: string; readonly expiresAt: Instant }[];
}

/** Returns the secrets that currently sign, newest first. */
export const validSecretsAt = (
  { secret, previousSecrets }: Pick<SigningEndpoint, 'secret' | 'previousSecrets'>,
  now: number,
): readonly string[] => [
  secret,
  ...previousSecrets.filter(({ expiresAt }) => Date.parse(expiresAt) > now).map(previous => previous.secret),
];

/** Formats a secret as Standard Webhooks does: the bytes of a URL-safe random text as plain base64, after a prefix. */
export function formatSigningSecret(random: string): string {
  const base64 = random.replaceAll('-', '+').replaceAll('_', '/');
  return `whsec_${base64.padEnd(Math.ceil(base64.length / 4) * 4, '=')}`;
}
