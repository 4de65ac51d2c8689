import type { LoopLog } from './loop';

export interface WorkerLog extends LoopLog {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
}

export interface WorkerOptions {
  /** How long a claim lasts that is not renewed. Renewed by `Heartbeats` while its work lasts. */
  readonly leaseMs: number;
  /** Deliveries, and likewise readings, under way at once. */
  readonly width: number;
  /** How much of `width` one far side may have, so that one that hangs leaves hands for the others. */
  readonly widthOfFarSide: number;
  /** Likewise of pushes to runtimes; left out: as above. */
  readonly pushes?: { readonly width: number; readonly widthOfFarSide: number };
  /** How often to look without being woken. */
  readonly pollMs: number;
  /** Whether the process that claimed under this name is proved to run no more. If omitted: nothing is ever proved. */
  isDead?(claimer: string): boolean;
}
