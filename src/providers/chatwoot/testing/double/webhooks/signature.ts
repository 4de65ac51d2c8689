import { createHmac, timingSafeEqual } from 'node:crypto';

/** Returns the value of X-Chatwoot-Signature (since 4.13). */
export function sign(secret: string, timestamp: string, body: string | Buffer): string {
  return `sha256=${createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest('hex')}`;
}

export function verifies(secret: string, timestamp: string, body: string | Buffer, signature: string): boolean {
  const expected = Buffer.from(sign(secret, timestamp, body));
  const given = Buffer.from(signature);
  return expected.length === given.length && timingSafeEqual(expected, given);
}
