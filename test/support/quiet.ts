import type { WorkerLog } from '../../src/delivery/options';

/** A log for workers whose log no test reads. */
export const quiet: WorkerLog = { error: () => undefined, warn: () => undefined, info: () => undefined };
