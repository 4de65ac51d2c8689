import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

const SANE = /^[A-Za-z0-9._:-]{1,100}$/;

/** The id that the caller or a gateway gave this request, if it is harmless in a log, else a new one. */
export function adoptRequestId(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  const id = typeof given === 'string' && SANE.test(given) ? given : randomUUID();
  // Rooms that read the headers see the same id as the log.
  request.headers['x-request-id'] = id;
  return id;
}
