import { AsyncLocalStorage } from 'node:async_hooks';
import type { Pool } from 'pg';

/**
 * Splits a process's connections into two pools, one for callers and one for background work, so that neither waits for
 * the other. Code that serves both, such as a provider with its own tables, uses the pool of its caller.
 */
export class SplitPool {
  private readonly background = new AsyncLocalStorage<true>();

  constructor(
    private readonly callers: Pool,
    private readonly work: Pool,
  ) {}

  /** The background pool in everything that `inBackground` has started; the callers' pool elsewhere. */
  get current(): Pool {
    return this.background.getStore() === true ? this.work : this.callers;
  }

  /** Runs a function, and everything that it starts, as background work. Called once, when the worker starts. */
  inBackground<T>(begin: () => T): T {
    return this.background.run(true, begin);
  }
}
