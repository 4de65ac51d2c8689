/**
 * Serializes setup. Setup looks up what an earlier run created and creates what it does not find. That is only correct
 * when no request of an earlier run can still take effect. So one run at a time, over all replicas, sets up one thing
 * (an account or an inbox), and a run that does not know the outcome of its last write keeps its lock until that write
 * can no longer take effect.
 */
export interface SetupLocks {
  /**
   * Waits for the lock, at most `waitMs`, and runs `act` under it. Called once per setup call of an operator. Take an
   * account's lock before those of its inboxes. The lock of a process that died ends after the longest time that its
   * requests may have run.
   * @param subject id of an account or inbox; `field` is the input that an error names
   * @throws ConflictError SETUP_IN_PROGRESS: the lock was not free in time, and nothing was done
   */
  withLock<T>(
    subject: { readonly id: string; readonly field: string },
    waitMs: number,
    act: (lock: SetupLock) => Promise<T>,
  ): Promise<T>;
  /**
   * Ends the locks of dead processes at start, as `LaneStore.endLeasesOfDead` does for lanes. A lock ends once the last
   * call of its run can no longer take effect.
   */
  releaseLocksOfDead(isDead: (claimer: string) => boolean): Promise<number>;
}

export interface SetupLock {
  /**
   * Creates the signal for a remote call, at the time the call begins. It ends after `ms`, and together with the lock:
   * code that checks `isOver` before sending is stopped wherever the process was paused in between. From now on no
   * other run begins until a call that may still be running can no longer take effect, at most `ambiguousForMs`; this
   * also holds if the process dies.
   * @throws ConflictError as `ensureHeld`
   */
  signal(ms: number, ambiguousForMs: number): Promise<AbortSignal>;
  /**
   * Throws unless the lock is still held. Called before a run's result is recorded.
   * @throws ConflictError SETUP_IN_PROGRESS: the lock was lost, and another run may have begun
   */
  ensureHeld(): void;
  /** Keeps other runs from beginning for `ms`, because a request may still take effect. */
  keepLockedFor(ms: number): void;
}
