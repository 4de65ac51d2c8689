import type { Instant } from '../ids';

/** Time and ids, injected so that a test can hold them. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  newId(): string;
  /** 0 ≤ x < 1, for jitter. */
  random(): number;
  /** An unguessable text of at least 256 bits, URL-safe. */
  newSecret(): string;
}

export const instantOf = (ms: number): Instant => new Date(ms).toISOString();
