import { randomBytes } from 'node:crypto';

const ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz123456789';

/** Looks like one of Chatwoot's own tokens: 24 letters and digits. */
export function newToken(): string {
  return [...randomBytes(24)].map((byte) => ALPHABET[byte % ALPHABET.length]).join('');
}
