/**
 * The lease of a worker's claim. Leases are short and renewed while the work runs. No remote call may begin after the
 * lease has ended; the next claimer waits until earlier calls can no longer take effect.
 */
export interface Lease {
  /** Throws unless the lease is held. Called before every remote call. */
  ensureHeld(): Promise<void>;
  /**
   * Creates the signal for one remote call, directly before the call, with nothing read in between. It ends after `ms`,
   * and together with the lease: code that checks `isOver` before sending is stopped wherever the process was paused in
   * between.
   * @throws LeaseLostError if the lease has already ended
   */
  signal(ms: number): AbortSignal;
}
