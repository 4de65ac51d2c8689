import type { Config } from '../config';
import type { GraphqlLimits } from '../graphql';
import { TIME_LIMITS } from '../time-limits';

/**
 * Sockets per socket whose caller is not identified yet. WebSockets send credentials within seconds, so these are few.
 */
const SOCKETS_PER_STRANGER = 4;

/** Limits of arriving bodies at all endpoints together. One organization or account has at most its share of them. */
const BODY_LIMITS = { perOperation: 4, maxBytes: 256 * 1024 * 1024, shareOfOne: 1 / 4 };
/** Makes the largest allowed body fit into one share, as sent and inflated. */
const bodyBytes = ({ graphqlBytes, webhookBytes, providerBytes }: Config['bodyLimits']): number =>
  Math.max(BODY_LIMITS.maxBytes, (2 * Math.max(graphqlBytes, webhookBytes, providerBytes)) / BODY_LIMITS.shareOfOne);

/** Returns the limits of GraphQL operations as the settings say. */
export const graphqlLimits = (config: Config, setupMs: number): Partial<GraphqlLimits> => ({
  maxBodyBytes: config.bodyLimits.graphqlBytes,
  maxOperations: config.maxOperations,
  maxCost: config.operation.maxCost,
  maxRepresentations: config.operation.maxRepresentations,
  maxResultBytes: config.operation.maxResultBytes,
  // A setup call has a time limit of its own at the provider, and uses the database before and after it.
  operationMs: config.operation.timeoutMs,
  providerOperationMs: config.operation.timeoutMs + setupMs,
});

/** Returns the limits of the HTTP server as the settings say. */
export const serverLimits = (config: Config) => ({
  bodies: {
    maxBodies: config.maxOperations * BODY_LIMITS.perOperation,
    maxBytes: bodyBytes(config.bodyLimits),
    shareOfOne: BODY_LIMITS.shareOfOne,
    ...TIME_LIMITS.body,
  },
  providerBodyLimitBytes: config.bodyLimits.providerBytes,
  limits: { ...TIME_LIMITS.http, ...TIME_LIMITS.stop },
  readers: TIME_LIMITS.reader,
  maxSockets: config.maxSockets,
  maxStrangers: Math.ceil(config.maxSockets / SOCKETS_PER_STRANGER),
  maxWebhooks: config.maxOperations,
  maxFiles: config.maxOperations,
  maxPages: config.maxOperations,
});
