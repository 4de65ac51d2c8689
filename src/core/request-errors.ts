import type { CallerRole } from './caller';
import { SupportError, OverloadedError } from './errors';

export type BodyRefusal = 'BODY_TOO_LARGE' | 'BODY_TOO_SLOW' | 'CONTENT_ENCODING_UNSUPPORTED' | 'BAD_REQUEST';

/** The body of a request was refused, and nothing was done. */
export class BodyRefusedError extends SupportError {
  constructor(
    readonly code: BodyRefusal,
    message: string,
  ) {
    super(message);
  }
}

export const bodyTooLargeError = (limitBytes: number): BodyRefusedError =>
  new BodyRefusedError(
    'BODY_TOO_LARGE',
    `The body is larger than ${limitBytes} bytes after decompression; send less at once.`,
  );

/** The caller disconnected before the request was complete, so nobody waits for a response. */
export class ClientGoneError extends Error {}

/**
 * Returns whether an error of reading a body is about the request itself. Pages and receivers must not catch such
 * errors; the server responds to them.
 */
export const isAboutRequest = (error: unknown): boolean =>
  error instanceof BodyRefusedError || error instanceof OverloadedError || error instanceof ClientGoneError;

export type WebhookRejection = 'badSignature' | 'stale' | 'unknownConnection' | 'malformed' | 'tooLarge';

export class WebhookRejectedError extends SupportError {
  readonly code = 'WEBHOOK_REJECTED';
  constructor(
    readonly why: WebhookRejection,
    message: string,
  ) {
    super(message);
  }
}

/** The caller is not authenticated, or may not do this. */
export class AccessError extends SupportError {
  constructor(
    readonly code: 'UNAUTHENTICATED' | 'FORBIDDEN',
    message: string,
  ) {
    super(message);
  }
}

/** The caller is authenticated but names no organization. It may read the schema and nothing else. */
export class NoOrganizationError extends AccessError {
  constructor(
    readonly role: CallerRole,
    message: string,
  ) {
    super('FORBIDDEN', message);
  }
}
