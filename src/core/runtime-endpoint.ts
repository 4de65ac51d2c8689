import type { ChatbotId, EndpointId, Instant, OrganizationId } from './ids';

/** `UNVERIFIED`: registered, and has not proven itself yet. `DISABLED`: nothing is pushed, everything stays in the inbox. */
export type RuntimeEndpointState = 'UNVERIFIED' | 'ACTIVE' | 'DISABLED';

/** Who or what switched it off: an operator; its own answer 410; days of nothing but failures. */
export type EndpointDisabledReason = 'OPERATOR' | 'GONE' | 'FAILING';

/** Why a push failed; stable. */
export type EndpointFailureCode = 'ENDPOINT_UNREACHABLE' | 'ENDPOINT_REFUSED' | 'ENDPOINT_GONE' | 'ENDPOINT_ADDRESS_REFUSED';

/** Where one organization's runtime wants its deliveries pushed to. */
export interface RuntimeEndpoint {
  readonly id: EndpointId;
  readonly organizationId: OrganizationId;
  /** Null: for every chatbot that has no endpoint of its own. */
  readonly chatbotId: ChatbotId | null;
  readonly url: string;
  readonly state: RuntimeEndpointState;
  readonly disabledReason: EndpointDisabledReason | null;
  readonly disabledAt: Instant | null;
  /** The first failure since the last success; null while the last push succeeded. */
  readonly firstFailureAt: Instant | null;
  readonly lastFailureAt: Instant | null;
  readonly lastFailureCode: EndpointFailureCode | null;
  /** The HTTP status of that failure, if there was an answer. */
  readonly lastFailureStatus: number | null;
  /** When it last proved itself. */
  readonly verifiedAt: Instant | null;
  /** Until when secrets before the last rotation sign too. */
  readonly previousSecretExpiresAt: Instant | null;
  readonly createdAt: Instant;
}

/** With its secrets, decrypted: never leaves the process, never logged. */
export interface SigningEndpoint extends RuntimeEndpoint {
  /** `whsec_…` */
  readonly secret: string;
  /** Newest first; some may have expired. Several, since whoever lost the answer to a rotation rotates again. */
  readonly previousSecrets: readonly { readonly secret: string; readonly expiresAt: Instant }[];
}

/** The secrets that sign at this moment, newest first. */
export const secretsAt = ({ secret, previousSecrets }: Pick<SigningEndpoint, 'secret' | 'previousSecrets'>, now: number): readonly string[] =>
  [secret, ...previousSecrets.filter(({ expiresAt }) => Date.parse(expiresAt) > now).map((previous) => previous.secret)];

/** As Standard Webhooks writes a secret: the bytes of a URL-safe random text, in plain base64 behind a prefix. */
export function signingSecretOf(random: string): string {
  const base64 = random.replaceAll('-', '+').replaceAll('_', '/');
  return `whsec_${base64.padEnd(Math.ceil(base64.length / 4) * 4, '=')}`;
}
