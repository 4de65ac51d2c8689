/** How a worker lends its lease. */
export interface Lease {
  /** Called before every remote call. Throws when the lease is lost. */
  held(): Promise<void>;
  /**
   * The signal of one remote call, made as it begins: nothing is read between it and the call. It ends after `ms`, and with
   * the lease, less what a call may leave under way: whoever asks it before sending (`isOver`) is stopped wherever the
   * process was paused in between. Throws LeaseLostError when that is over already.
   */
  signal(ms: number): AbortSignal;
  /**
   * From now on `held` answers only with both still ahead: a call of ours, of at most `callMs`, with what it has begun at the
   * far side, which goes on for at most `settlesMs`, is over before anybody else may take the work, also when this process
   * dies within it.
   */
  outlasts(callMs: number, settlesMs: number): void;
}
