import type { EndpointId, Instant, OrganizationId } from '../ids';
import type {
  EndpointDisabledReason,
  EndpointFailureCode,
  RuntimeEndpoint,
  SigningEndpoint,
} from '../runtime-endpoint';

export interface EndpointFailure {
  readonly at: Instant;
  readonly code: EndpointFailureCode;
  readonly status: number | null;
}

/**
 * Stores where runtimes want to be called back. A chatbot uses its own endpoint once that was verified, even while it
 * is disabled. Until then it uses the endpoint for all chatbots of its organization.
 */
export interface RuntimeEndpointStore {
  /**
   * Adds an endpoint.
   * @throws ConflictError ENDPOINT_EXISTS when the chatbot or the organization already has one
   * (`uq_runtime_endpoint_*`)
   */
  insert(endpoint: SigningEndpoint): Promise<RuntimeEndpoint>;
  listByOrganization(organizationId: OrganizationId): Promise<readonly RuntimeEndpoint[]>;
  get(organizationId: OrganizationId, id: EndpointId): Promise<SigningEndpoint | null>;
  /**
   * Makes `secret` the current secret. The secret before it joins the previous ones, which sign until `expiresAt` at
   * the latest. Null: no such endpoint.
   */
  rotateSecret(
    organizationId: OrganizationId,
    id: EndpointId,
    secret: string,
    expiresAt: Instant,
  ): Promise<RuntimeEndpoint | null>;
  /**
   * Marks the endpoint ACTIVE after it was verified and forgets its failures. Its waiting deliveries become due now and
   * get all their attempts again. Deliveries without a lane get one from `rerouteLanes`. Null: no such endpoint.
   */
  activate(organizationId: OrganizationId, id: EndpointId, at: Instant): Promise<RuntimeEndpoint | null>;
  /** Disables the endpoint. If it is already DISABLED, the first reason stays. Null: no such endpoint. */
  disable(
    organizationId: OrganizationId,
    id: EndpointId,
    reason: EndpointDisabledReason,
    at: Instant,
  ): Promise<RuntimeEndpoint | null>;
  /**
   * Removes the endpoint. Its waiting deliveries go to the next endpoint, or stay in the inbox. False: no such
   * endpoint.
   */
  remove(organizationId: OrganizationId, id: EndpointId): Promise<boolean>;

  /**
   * Records a failed push. Two days without a failure end a streak of failures. Null: the endpoint no longer exists.
   */
  recordFailure(
    organizationId: OrganizationId,
    id: EndpointId,
    failure: EndpointFailure,
  ): Promise<RuntimeEndpoint | null>;
  /**
   * Ends the streak of failures. Called after a push that succeeded while `firstFailureAt` was set. If the streak began
   * at `outageStartedAt` or before, the endpoint's waiting deliveries become due now; their attempts so far still
   * count.
   */
  recordRecovery(organizationId: OrganizationId, id: EndpointId, outageStartedAt: Instant): Promise<void>;

  /**
   * Gives every waiting delivery a lane to the endpoint that is now right for it. Called after each change of endpoints
   * and by the timer of every replica; concurrent calls do no harm. A change of endpoints is durable before its lanes
   * are, and a concurrent transaction may have read the earlier endpoints. A change is therefore complete only when all
   * such transactions have ended. True: all changes are complete.
   */
  rerouteLanes(): Promise<boolean>;
}
