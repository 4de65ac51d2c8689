/*
 * `statusWrites` of a session is odd while this service writes the conversation's status (a seqlock). A sync that read
 * the state meanwhile does not believe it.
 */

/** Returns the number from the beginning of a status write on. An earlier attempt may have begun it already. */
export const oddAfter = (statusWrites: number): number => (statusWrites % 2 === 1 ? statusWrites : statusWrites + 1);

/** Returns the number after the write. Stored in the transaction that records the write's result. */
export const endedStatusWrites = (statusWrites: number): number =>
  statusWrites % 2 === 0 ? statusWrites : statusWrites + 1;
