import type { ConfigProblem } from './config-error';
import { SETTINGS } from './settings';

const PREFIX = 'SUPPORT_';
const KNOWN = Object.keys(SETTINGS);

/**
 * True for variables that Kubernetes creates for every Service of the namespace: a Service named `support` or
 * `support-…` adds SUPPORT_SERVICE_HOST, SUPPORT_PORT=tcp://…, SUPPORT_PORT_4000_TCP_ADDR and so on. Operators cannot
 * remove them.
 */
const isServiceLink = (key: string, value: string): boolean =>
  /_SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)$/.test(key) ||
  /_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/.test(key) ||
  (/_PORT$/.test(key) && /^(tcp|udp|sctp):\/\//.test(value));

/**
 * Reports keys with our prefix that are no settings: usually a typing error that would silently leave a default in
 * effect.
 */
export function unknownKeyProblems(env: Readonly<Record<string, string | undefined>>): readonly ConfigProblem[] {
  return Object.entries(env)
    .filter(([key, value]) => key.startsWith(PREFIX) && !KNOWN.includes(key) && !isServiceLink(key, value ?? ''))
    .map(([key]) => {
      const nearest = nearestName(key);
      return {
        key,
        given: '(hidden)',
        expected:
          nearest === null
            ? 'nothing: no setting has this name; remove it'
            : `nothing: no setting has this name; did you mean ${nearest}?`,
        example: nearest === null ? `unset ${key}` : `${nearest}=${SETTINGS[nearest].example}`,
      };
    });
}

function nearestName(key: string): keyof typeof SETTINGS | null {
  const bare = key.slice(PREFIX.length);
  const ranked = KNOWN.map(known => ({
    known,
    edits: isPartOf(bare, known) ? 1 : Math.min(distance(key, known), distance(bare, known.replace(PREFIX, ''))),
  })).sort((a, b) => a.edits - b.edits);
  const best = ranked[0]!;
  return best.edits <= Math.max(2, bare.length / 4) ? (best.known as keyof typeof SETTINGS) : null;
}

/** True if only a unit or a first word is missing: DRAIN_LIMIT for SUPPORT_DRAIN_LIMIT_SECONDS. */
const isPartOf = (bare: string, known: string): boolean => bare.length >= 4 && `${known}_`.includes(`_${bare}_`);

/** Computes the Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}
