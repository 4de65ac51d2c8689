import { createHash, randomUUID } from 'node:crypto';

export interface Reply {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}

const JSON_TYPE = 'application/json; charset=utf-8';

function reply(status: number, contentType: string, body: string, headers: Record<string, string>): Reply {
  const bytes = Buffer.from(body);
  return {
    status,
    headers: {
      'content-type': contentType,
      'content-length': String(bytes.length),
      'x-request-id': randomUUID(),
      ...headers,
    },
    body: bytes,
  };
}

export function json(value: unknown, status = 200): Reply {
  const body = JSON.stringify(value ?? null);
  if (status !== 200) return reply(status, JSON_TYPE, body, { 'cache-control': 'no-cache' });
  return reply(status, JSON_TYPE, body, {
    'cache-control': 'max-age=0, private, must-revalidate',
    etag: `W/"${createHash('md5').update(body).digest('hex')}"`,
  });
}

/** `head :ok`: a JSON content type and an empty body. */
export function empty(): Reply {
  return reply(200, 'application/json', '', { 'cache-control': 'no-cache' });
}

export function text(status: number, body: string): Reply {
  return reply(status, 'text/plain', body, { 'cache-control': 'no-cache' });
}

export function file(contentType: string, bytes: Buffer, headers: Record<string, string> = {}): Reply {
  return {
    status: 200,
    headers: { 'content-type': contentType, 'content-length': String(bytes.length), ...headers },
    body: bytes,
  };
}

export function redirect(location: string): Reply {
  return reply(302, 'text/html; charset=utf-8', '', { location, 'cache-control': 'max-age=300, private' });
}

/** The framework's own error page, which does not name the cause. */
function bare(status: number, error: string): Reply {
  return reply(status, 'application/json; charset=UTF-8', JSON.stringify({ status, error }), {});
}

/** A response thrown from anywhere below a route; it ends the request. */
export class Refusal extends Error {
  constructor(readonly reply: Reply) {
    super(`The double refused the request with status ${reply.status}.`);
  }
}

const refusal = (reply: Reply) => new Refusal(reply);

/** All refusals of Chatwoot. A missing permission is a 401, never a 403. */
export const refuse = {
  notSignedIn: () => refusal(json({ errors: ['You need to sign in or sign up before continuing.'] }, 401)),
  badCredentials: () =>
    refusal(json({ success: false, errors: ['Invalid login credentials. Please try again.'] }, 401)),
  unknownToken: () => refusal(json({ error: 'Invalid Access Token' }, 401)),
  unknownPlatformToken: () => refusal(json({ error: 'Invalid access_token' }, 401)),
  notPermissible: () => refusal(json({ error: 'Non permissible resource' }, 401)),
  notInAccount: () => refusal(json({ error: 'You are not authorized to access this account' }, 401)),
  notAllowed: () => refusal(json({ error: 'You are not authorized to do this action' }, 401)),
  notForBots: () => refusal(json({ error: 'Access to this endpoint is not authorized for bots' }, 401)),
  suspended: () => refusal(json({ error: 'Account is suspended' }, 401)),
  unauthorized: (error: string) => refusal(json({ error }, 401)),
  forbidden: (error: string) => refusal(json({ error }, 403)),
  absent: () => refusal(json({ error: 'Resource could not be found' }, 404)),
  barelyAbsent: () => refusal(bare(404, 'Not Found')),
  badRequest: () => refusal(bare(400, 'Bad Request')),
  crash: () => refusal(bare(500, 'Internal Server Error')),
  invalid: (message: string, attributes: string[]) => refusal(json({ message, attributes }, 422)),
  unprocessable: (error: string) => refusal(json({ error }, 422)),
  /** An error that occurs while the framework renders the response. */
  unroutable: (error: string) => refusal(reply(422, 'application/json', JSON.stringify({ error }), {})),
  missing: (parameter: string) => refusal(json({ error: `param is missing or the value is empty: ${parameter}` }, 422)),
  tooMany: () => refusal(text(429, 'Retry later\n')),
};
