/** How a worker lends its lease. */
export interface Lease {
  /** Called before every remote call. Throws when the lease is lost. */
  held(): Promise<void>;
  /**
   * From now on `held` answers only with so many milliseconds still ahead: a call of ours, with what it has begun at the
   * far side, is over before anybody else may take the work, also when this process dies within it.
   */
  outlasts(callMs: number): void;
}
