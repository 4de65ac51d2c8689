import { createHash, timingSafeEqual } from 'node:crypto';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Creates a comparison in constant time, which reveals nothing about the secret, not even its length. */
export function secretMatcher(secret: string): (given: string) => boolean {
  const expected = digest(secret);
  return given => timingSafeEqual(digest(given), expected);
}

export interface BotKey {
  readonly organizationId: string;
  readonly key: string;
}

/** Creates the lookup of a key's organization. It compares digests, so its timing reveals nothing useful. */
export function keyRing(keys: readonly BotKey[]): (given: string) => string | null {
  const owners = new Map(keys.map(({ organizationId, key }) => [digest(key).toString('base64'), organizationId]));
  return given => owners.get(digest(given).toString('base64')) ?? null;
}
