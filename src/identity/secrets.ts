import { createHash, timingSafeEqual } from 'node:crypto';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Compares in a time that tells nothing of either, not even a length. */
export function secretMatcher(secret: string): (given: string) => boolean {
  const expected = digest(secret);
  return given => timingSafeEqual(digest(given), expected);
}

export interface BotKey { readonly organizationId: string; readonly key: string }

/** Finds whose key it is. Keys are looked up by digest: what the time of that could tell is of no use. */
export function keyRing(keys: readonly BotKey[]): (given: string) => string | null {
  const owners = new Map(keys.map(({ organizationId, key }) => [digest(key).toString('base64'), organizationId]));
  return given => owners.get(digest(given).toString('base64')) ?? null;
}
