/** The known releases. Earlier ones were never examined and no double emulates them; neither were later ones. */
export const SUPPORTED = { first: [3, 16], last: [4, 17] } as const;

/** The differences that users of a version notice. The service handles the others in CONTRACT's table. */
const DIFFERENCES: readonly {
  readonly from?: readonly [number, number];
  readonly before?: readonly [number, number];
  readonly says: string;
}[] = [
  { before: [4, 2], says: 'agents do not see whether their message was delivered, read or failed.' },
  { before: [4, 5], says: 'a setup that is interrupted between two calls may leave an empty account.' },
  {
    before: [4, 13],
    says: 'webhooks are not signed: the secret in their address is their only proof, so give this service an https address.',
  },
  { from: [4, 13], says: 'webhooks are signed, and checked.' },
  {
    from: [4, 14],
    says: 'webhooks to private addresses are refused, unless Chatwoot has SAFE_FETCH_ALLOW_PRIVATE_NETWORK=true (4.14.0 itself does not support it).',
  },
  { from: [4, 15], says: 'this version was not tested with this service: run the demo on it.' },
];

export type Version = readonly [number, number];

export function versionIn(text: unknown): Version | null {
  const found = typeof text === 'string' ? /^v?(\d{1,4})\.(\d{1,4})/.exec(text) : null;
  return found ? [Number(found[1]), Number(found[2])] : null;
}

export const isBefore = ([major, minor]: Version, [otherMajor, otherMinor]: Version): boolean =>
  major < otherMajor || (major === otherMajor && minor < otherMinor);

export const differencesOf = (version: Version): readonly string[] =>
  DIFFERENCES.filter(
    ({ from, before }) => (!from || !isBefore(version, from)) && (!before || isBefore(version, before)),
  ).map(({ says }) => says);
