import { shortened } from './text';

/** Lengths are in UTF-16 code units. */
export interface EntryLimits { readonly entries: number; readonly name: number; readonly value: number }

export interface FittedEntries {
  readonly kept: Readonly<Record<string, string>>;
  /** What is beyond the number of entries, in the order in which it was given. */
  readonly left: readonly (readonly [name: string, value: string])[];
}

/**
 * Makes named texts fit. Called for what decorates a session or a handoff and so must not refuse it. Keeps the first entries in
 * the order in which they were given, and the first one of two whose names are the same when they are cut.
 */
export function fitEntries(given: Readonly<Record<string, string>>, limits: EntryLimits): FittedEntries {
  const fitted = new Map<string, string>();
  const left: (readonly [string, string])[] = [];
  for (const [name, value] of Object.entries(given)) {
    const short = shortened(name, limits.name);
    if (fitted.has(short)) continue;
    if (fitted.size < limits.entries) fitted.set(short, shortened(value, limits.value));
    else left.push([short, value]);
  }
  return { kept: Object.fromEntries(fitted), left };
}
