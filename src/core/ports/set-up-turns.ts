/**
 * Set-up looks for what an earlier run has made, and makes what it does not find. That is right only when nothing that an
 * earlier run has asked for can still come to be: so one thing (an account, an inbox) is set up by one run at a time, over
 * all replicas, and a run that does not know what became of its last write keeps its turn until that has settled.
 */
export interface SetUpTurns {
  /**
   * Waits for the turn, for at most `waitMs`, and does `act` in it. The turn of a process that died is over after as long as a
   * request of it may have run on. Called once per set-up call of an operator. An account's turn comes before its inboxes'.
   * @param subject  id of an account or inbox; `field` is the input that an error names
   * @throws ConflictError SETUP_IN_PROGRESS: the turn did not come, and nothing was done
   */
  inTurn<T>(subject: { readonly id: string; readonly field: string }, waitMs: number, act: (turn: SetUpTurn) => Promise<T>): Promise<T>;
  /** At start: as `LaneStore.endLeasesOfDead`, for turns; one is over once the last call of its run can have no effect any more. */
  endTurnsOfDead(isDead: (claimer: string) => boolean): Promise<number>;
}

export interface SetUpTurn {
  /**
   * The signal of remote calls, made as they begin. It ends after `ms`, and with the turn: whoever asks it before sending
   * (`isOver`) is stopped wherever the process was paused in between. From now on nobody else begins before what a call leaves
   * under way, for at most `settlesMs`, has settled, also when this process dies within it.
   * @throws ConflictError as `held`
   */
  signal(ms: number, settlesMs: number): Promise<AbortSignal>;
  /** Called before what came of a run is recorded. @throws ConflictError SETUP_IN_PROGRESS: the turn was lost, and another run may go on */
  held(): void;
  /** Nobody else begins until then: what was asked for may still take effect. */
  settlesAfter(ms: number): void;
}
