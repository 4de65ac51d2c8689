export type { WorkerLog, WorkerOptions } from './options';
export { TypingRelay } from './typing-relay';
export { Worker } from './worker';
