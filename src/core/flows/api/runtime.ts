import type { ChatbotId } from '../../ids';
import type { RuntimeInboxFilter } from '../../ports/delivery-store';
import type { RuntimeEndpoint } from '../../runtime-endpoint';
import type { Scope } from './scope';

export interface AcknowledgeResult {
  readonly acknowledged: readonly string[];
  readonly unknown: readonly string[];
}

export interface AcknowledgeThroughInput extends RuntimeInboxFilter {
  /** A cursor of the runtime inbox, or of a delivery from the subscription. */
  readonly cursor: string;
}

export interface RegisterEndpointInput {
  readonly url: string;
  /** Null: for every chatbot without its own endpoint. */
  readonly chatbotId: ChatbotId | null;
}

export interface RotateEndpointSecretInput {
  readonly endpointId: string;
  /** How long the old secret signs too; null: a day. */
  readonly previousValidSeconds: number | null;
}

/** `secret` is returned only this once. */
export interface EndpointSecretResult {
  readonly endpoint: RuntimeEndpoint;
  readonly secret: string;
}

/** Acknowledges deliveries to the runtime. */
export interface RuntimeInboxFlows {
  acknowledge(scope: Scope, deliveryIds: readonly string[]): Promise<AcknowledgeResult>;
  /**
   * Acknowledges everything in the cursor's list up to the cursor; the filter narrows the list. Returns the number of
   * deliveries.
   */
  acknowledgeThrough(scope: Scope, input: AcknowledgeThroughInput): Promise<{ readonly acknowledged: number }>;
}

/** Changes where runtimes are called. */
export interface RuntimeEndpointFlows {
  /**
   * Registers an endpoint. Resolves its host name but does not call it yet, because the endpoint needs its secret
   * first.
   */
  registerEndpoint(scope: Scope, input: RegisterEndpointInput): Promise<EndpointSecretResult>;
  /**
   * Verifies the endpoint by calling it, then starts pushes, also of waiting deliveries. Repeatable: waiting retries
   * become due at once.
   */
  enableEndpoint(scope: Scope, endpointId: string): Promise<RuntimeEndpoint>;
  /** Stops pushes; everything stays in the inbox. */
  disableEndpoint(scope: Scope, endpointId: string): Promise<RuntimeEndpoint>;
  rotateEndpointSecret(scope: Scope, input: RotateEndpointSecretInput): Promise<EndpointSecretResult>;
  removeEndpoint(scope: Scope, endpointId: string): Promise<void>;
}
