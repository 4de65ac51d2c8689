/**
 * Set-up looks for what an earlier run has made, and makes what it does not find. That is right only when nothing that an
 * earlier run has asked for can still come to be: so one thing (an account, an inbox) is set up by one run at a time, over
 * all replicas, and a run that does not know what became of its last write keeps its turn until that has settled.
 */
export interface SetUpTurns {
  /**
   * Waits for the turn, for at most `waitMs`, and does `act` in it. The turn of a process that died is over after as long as a
   * request of it may have run on. Called once per set-up call of an operator.
   * @param subject  id of an account or inbox; `field` is the input that an error names
   * @throws ConflictError SETUP_IN_PROGRESS: nothing was done
   */
  inTurn<T>(subject: { readonly id: string; readonly field: string }, waitMs: number, act: (turn: SetUpTurn) => Promise<T>): Promise<T>;
}

export interface SetUpTurn {
  /** Nobody else begins until then: what was asked for may still take effect. */
  settlesAfter(ms: number): void;
}
