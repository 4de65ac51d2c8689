import type { Lease } from '../../src/core/flows/lease';
import { timeLimit } from '../../src/core/time-limit';

/** Creates a lease that a test controls. Without `held` it never ends. */
export const leaseThat = (held: Lease['held'] = async () => undefined): Lease => ({ held, signal: timeLimit });
