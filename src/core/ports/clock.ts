import type { Instant } from '../ids';

/** Provides time, ids and random values, so that a test can control them. */
export interface Clock {
  /** The current time in milliseconds since 1970. */
  now(): number;
  newId(): string;
  /** A random number x with 0 ≤ x < 1, for jitter. */
  random(): number;
  /** Returns an unguessable, URL-safe text of at least 256 bits. */
  newSecret(): string;
}

export const instantOf = (ms: number): Instant => new Date(ms).toISOString();
