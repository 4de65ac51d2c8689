import type { LoopLog } from './loop';

export interface WorkerLog extends LoopLog {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
}

export interface WorkerOptions {
  /** How long a claim lasts without renewal. `Heartbeats` renews it while its work runs. */
  readonly leaseMs: number;
  /** How many deliveries run at the same time; separately, how many syncs. */
  readonly concurrency: number;
  /** The part of `concurrency` that one remote may use, so that a hanging remote leaves capacity for the others. */
  readonly concurrencyPerRemote: number;
  /** The same for pushes to runtimes. If omitted: the values above. */
  readonly pushes?: { readonly concurrency: number; readonly concurrencyPerRemote: number };
  /** How often to check for work without being woken. */
  readonly pollMs: number;
  /** Returns whether the process that claimed under this name is proved to be dead. If omitted: no process is. */
  isDead?(claimer: string): boolean;
}
