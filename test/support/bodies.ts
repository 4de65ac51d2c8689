import type { BodyLimits } from '../../src/server/body-reader';
import { TIME_LIMITS } from '../../src/time-limits';

/** The service's default limits for request bodies. */
export const TEST_BODIES: BodyLimits = {
  maxBodies: 1_024,
  maxBytes: 256 * 1024 * 1024,
  shareOfOne: 1 / 4,
  ...TIME_LIMITS.body,
};
