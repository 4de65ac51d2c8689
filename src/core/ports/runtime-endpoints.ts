import type { EndpointId, Instant, OrganizationId } from '../ids';
import type { EndpointDisabledReason, EndpointFailureCode, RuntimeEndpoint, SigningEndpoint } from '../runtime-endpoint';

export interface EndpointFailure {
  readonly at: Instant;
  readonly code: EndpointFailureCode;
  readonly status: number | null;
}

/**
 * Where runtimes want to be called back. The endpoint of a chatbot is its own once that has been verified, switched off or
 * not; else the one for all chatbots of its organization.
 */
export interface RuntimeEndpointStore {
  /** @throws ConflictError ENDPOINT_EXISTS when the chatbot, or the organization, has one (`uq_runtime_endpoint_*`) */
  insert(endpoint: SigningEndpoint): Promise<RuntimeEndpoint>;
  of(organizationId: OrganizationId): Promise<readonly RuntimeEndpoint[]>;
  get(organizationId: OrganizationId, id: EndpointId): Promise<SigningEndpoint | null>;
  /** The current secret joins the previous ones, which sign until `expiresAt` at the longest. Null: no such endpoint. */
  rotate(organizationId: OrganizationId, id: EndpointId, secret: string, expiresAt: Instant): Promise<RuntimeEndpoint | null>;
  /**
   * It has proven itself: ACTIVE, its failures forgotten, and what waits for it due now with all its tries ahead. Lanes for
   * what has none yet come with `settle`. Null: no such endpoint.
   */
  activate(organizationId: OrganizationId, id: EndpointId, at: Instant): Promise<RuntimeEndpoint | null>;
  /** Null: no such endpoint. Of one that is DISABLED already, the first reason stays. */
  disable(organizationId: OrganizationId, id: EndpointId, reason: EndpointDisabledReason, at: Instant): Promise<RuntimeEndpoint | null>;
  /** False: no such endpoint. What waits for it goes to the next one, or stays in the inbox. */
  remove(organizationId: OrganizationId, id: EndpointId): Promise<boolean>;

  /** After a failed push. Failures with two days of silence between them are not one streak. Null: it is gone. */
  failed(organizationId: OrganizationId, id: EndpointId, failure: EndpointFailure): Promise<RuntimeEndpoint | null>;
  /**
   * After a push that succeeded while `firstFailureAt` was set: its failures are over. When they had begun at `awaySince` or
   * before, what waits for it is due now, and the tries made so far still count.
   */
  recovered(organizationId: OrganizationId, id: EndpointId, awaySince: Instant): Promise<void>;

  /**
   * Gives every delivery that waits a lane to the endpoint that is now right for it. A change of endpoints is durable
   * before its lanes are, and a transaction that runs meanwhile may have seen the endpoints from before: a change counts as
   * settled only when all such transactions have ended. Called after each change and by every replica's timer; any number
   * at once do no harm. True: everything is settled.
   */
  settle(): Promise<boolean>;
}
