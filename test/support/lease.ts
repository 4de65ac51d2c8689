import type { Lease } from '../../src/core/flows/lease';

/** A lease that a test has in its hand; without `held` one that never ends. */
export const leaseThat = (held: Lease['held'] = async () => undefined): Lease => ({ held, outlasts: () => undefined });
