import { AsyncLocalStorage } from 'node:async_hooks';
import type { Pool } from 'pg';

/**
 * The two halves of a process's connections: one for callers, one for the background work, so that neither waits for what
 * the other has. What serves both, a provider with tables of its own, asks for the half of whoever called it.
 */
export class PoolHalves {
  private readonly background = new AsyncLocalStorage<true>();

  constructor(private readonly callers: Pool, private readonly work: Pool) {}

  /** The background's half in everything that `inBackground` has begun; the callers' everywhere else. */
  get current(): Pool { return this.background.getStore() === true ? this.work : this.callers; }

  /** Runs something, and all that it begins, as background work. Called once, when the worker starts. */
  inBackground<T>(begin: () => T): T { return this.background.run(true, begin); }
}
