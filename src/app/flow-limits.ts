import type { Config } from '../config';
import type { FlowDeps } from '../core/flows/deps';
import { TIME_LIMITS } from '../time-limits';

const DAY_MS = 86_400_000;

/** Returns the limits of the flows as the settings say. */
export const flowLimits = (config: Config): FlowDeps['limits'] => ({
  drainMs: config.drainLimitMs,
  endSyncMs: TIME_LIMITS.provider.endSyncMs,
  liveScanIntervalMs: config.liveScanIntervalMs,
  callMs: config.providerTimeoutMs,
  setupMs: config.providerTimeoutMs * TIME_LIMITS.provider.setUpCalls,
  checkMs: config.checkIntervalMs,
  fullScanIntervalMs: config.fullScanIntervalMs,
  uploadMs: Math.max(config.providerTimeoutMs, TIME_LIMITS.provider.uploadMs),
  targetLookupMs: Math.min(TIME_LIMITS.provider.targetLookupMs, config.providerTimeoutMs),
  pushMs: config.push.timeoutMs,
  disableEndpointMs: config.push.disableAfterMs,
});

/** Returns how long rows are kept as the settings say. */
export function keepMs({ keepDays }: Config): NonNullable<FlowDeps['retention']>['keepMs'] {
  const { events, messages, deliveries, idempotencyKeys, sessions } = keepDays;
  return {
    events: events * DAY_MS,
    messages: messages * DAY_MS,
    deliveries: deliveries * DAY_MS,
    idempotencyKeys: idempotencyKeys * DAY_MS,
    sessions: sessions * DAY_MS,
  };
}
