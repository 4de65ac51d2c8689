import type { Lease } from '../../src/core/flows/lease';
import { createTimeLimit } from '../../src/core/time-limit';

/** Creates a lease that a test controls. Without `held` it never ends. */
export const createLease = (held: Lease['ensureHeld'] = async () => undefined): Lease => ({
  ensureHeld: held,
  signal: createTimeLimit,
});
