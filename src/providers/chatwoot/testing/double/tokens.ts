import { randomBytes } from 'node:crypto';

const ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz123456789';

/** Returns a token of the same form as Chatwoot's: 24 letters and digits. */
export function newToken(): string {
  return [...randomBytes(24)].map(byte => ALPHABET[byte % ALPHABET.length]).join('');
}
