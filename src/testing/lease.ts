import type { Lease } from '../core/flows/lease';
import { createTimeLimit } from '../core/time-limit';

/** Creates a lease that a test controls. Without `held` it never ends. */
export const createLease = (held: Lease['ensureHeld'] = async () => undefined): Lease => ({
  ensureHeld: held,
  signal: createTimeLimit,
});
