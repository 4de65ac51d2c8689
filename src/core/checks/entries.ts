import { shortenText } from './text';

/** Lengths are in UTF-16 code units. */
export interface EntryLimits {
  readonly entries: number;
  readonly name: number;
  readonly value: number;
}

export interface FittedEntries {
  readonly kept: Readonly<Record<string, string>>;
  /** The entries beyond the maximum number, in the given order. */
  readonly left: readonly (readonly [name: string, value: string])[];
}

/**
 * Shortens named texts to their limits. Called for optional data of a session or a handoff, which must not cause a
 * refusal. Keeps the first entries in the given order. If two names are the same after shortening, the first wins.
 */
export function fitEntries(given: Readonly<Record<string, string>>, limits: EntryLimits): FittedEntries {
  const fitted = new Map<string, string>();
  const left: (readonly [string, string])[] = [];
  for (const [name, value] of Object.entries(given)) {
    const short = shortenText(name, limits.name);
    if (fitted.has(short)) continue;
    if (fitted.size < limits.entries) fitted.set(short, shortenText(value, limits.value));
    else left.push([short, value]);
  }
  return { kept: Object.fromEntries(fitted), left };
}
