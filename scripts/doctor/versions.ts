/** What we know: nobody has looked before the first, nothing emulates it; nor after the last. */
export const SUPPORTED = { first: [3, 16], last: [4, 17] } as const;

/** What a user of that version notices; the rest of CONTRACT's table is ours to handle. */
const DIFFERENCES: readonly { readonly from?: readonly [number, number]; readonly before?: readonly [number, number]; readonly says: string }[] = [
  { before: [4, 2], says: 'agents do not see what became of their message (delivered, read, failed).' },
  { before: [4, 5], says: 'a set-up that is cut off between two calls may leave an empty account behind.' },
  { before: [4, 13], says: 'webhooks are not signed: the secret in their address is their only proof, so give this service https.' },
  { from: [4, 13], says: 'webhooks are signed, and checked.' },
  { from: [4, 14], says: 'webhooks to private addresses are refused, unless SAFE_FETCH_ALLOW_PRIVATE_NETWORK=true is set there (4.14.0 itself does not know it).' },
  { from: [4, 15], says: 'this version was read about, not run: play the demo on it.' },
];

export type Version = readonly [number, number];

export function versionIn(text: unknown): Version | null {
  const found = typeof text === 'string' ? /^v?(\d{1,4})\.(\d{1,4})/.exec(text) : null;
  return found ? [Number(found[1]), Number(found[2])] : null;
}

export const isBefore = ([major, minor]: Version, [otherMajor, otherMinor]: Version): boolean =>
  major < otherMajor || (major === otherMajor && minor < otherMinor);

export const differencesOf = (version: Version): readonly string[] =>
  DIFFERENCES.filter(({ from, before }) => (!from || !isBefore(version, from)) && (!before || isBefore(version, before))).map(({ says }) => says);
