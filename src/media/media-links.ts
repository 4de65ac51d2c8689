import { createHmac, timingSafeEqual } from 'node:crypto';
import { cutText, cleanText } from '../core/checks/text';
import type { FileRef } from '../core/files';

/** Validity of a link in milliseconds. Each query of the message creates a new link. */
export const LINK_MS = 24 * 3_600_000;

/** Signed links: anyone who has one may fetch that one file until it expires, and nothing else. */
export class MediaLinks {
  private readonly key: Buffer;

  constructor(
    secretKey: Buffer,
    private readonly now: () => number,
  ) {
    this.key = createHmac('sha256', secretKey).update('support media links').digest();
  }

  createPath({ organizationId, messageId, index }: FileRef, name: string): string {
    const payload = Buffer.from(JSON.stringify([organizationId, messageId, index, this.now() + LINK_MS])).toString(
      'base64url',
    );
    return `/files/${payload}.${this.sign(payload)}/${encodeURIComponent(cutText(cleanText(name), 150))}`;
  }

  /** Returns null if the link is not ours, was changed, or has expired. */
  parsePath(path: string): FileRef | null {
    const [, , token = ''] = path.split('/');
    const [payload = '', signature = ''] = token.split('.');
    const [given, expected] = [Buffer.from(signature), Buffer.from(this.sign(payload))];
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null;
    const [organizationId, messageId, index, until] = JSON.parse(Buffer.from(payload, 'base64url').toString()) as [
      string,
      string,
      number,
      number,
    ];
    return until > this.now() ? { organizationId, messageId, index } : null;
  }

  private sign(payload: string): string {
    return createHmac('sha256', this.key).update(payload).digest('base64url');
  }
}
