/**
 * How a worker lends its lease. Leases are short and renewed while the work lasts. Nobody begins a remote call after the lease
 * has ended; whoever takes the work over waits until a call that was begun before can have no effect any more.
 */
export interface Lease {
  /** Called before every remote call. Throws when the lease is lost. */
  held(): Promise<void>;
  /**
   * The signal of one remote call, made as it begins: nothing is read between it and the call. It ends after `ms`, and with
   * the lease: whoever asks it before sending (`isOver`) is stopped wherever the process was paused in between. Throws
   * LeaseLostError when the lease has ended already.
   */
  signal(ms: number): AbortSignal;
}
