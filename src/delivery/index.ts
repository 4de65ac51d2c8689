export type { WorkerLog, WorkerOptions } from './options';
export { Worker } from './worker';
