import type { WorkerLog } from '../../src/delivery/options';

/** For workers whose log no test reads. */
export const quiet: WorkerLog = { error: () => undefined, warn: () => undefined, info: () => undefined };
