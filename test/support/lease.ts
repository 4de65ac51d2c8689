import type { Lease } from '../../src/core/flows/lease';
import { timeLimit } from '../../src/core/time-limit';

/** A lease that a test has in its hand; without `held` one that never ends. */
export const leaseThat = (held: Lease['held'] = async () => undefined): Lease => ({ held, signal: timeLimit });
