export { Worker, type WorkerLog, type WorkerOptions } from './worker';
