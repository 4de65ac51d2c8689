import { readAtMost } from '../../core/read-at-most';
import { ProviderAuthError, ProviderUnavailableError } from '../../core/errors';
import { isOver } from '../../core/time-limit';
import { errorForResponse, errorWithoutResponse, type ChatwootResponse, type Attempt, type Caller } from './errors';

export interface ApiCall {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  readonly path: string;
  /** JSON, or a form with its type. */
  readonly body?: object | Blob;
  /** Set for a POST that only reads. */
  readonly isRead?: true;
}

/** Returns whether a token may be put into a header. Fetch would quote any other one in its error's text. */
export const isToken = (token: unknown): token is string =>
  typeof token === 'string' && /^[\x21-\x7e]{1,500}$/.test(token);

/**
 * For form uploads. Node's fetch keeps a copy of the sent body in case it must send it again, unless redirects are
 * errors and there is no window for a password prompt (undici 6, read and measured). Without these options a form would
 * be wholly in memory.
 */
const UNBUFFERED_FETCH = { redirect: 'error', window: null } as const;

/** Recognizes fetch's error for a redirect by its message. */
const isRedirectError = (error: unknown): boolean =>
  ((error as { cause?: Error } | null)?.cause?.message ?? '') === 'unexpected redirect';

/**
 * Limit of one response, in bytes after inflating. Chatwoot limits a range of messages to 1,000 rows and a text to
 * 150,000 characters (CONTRACT.md). No response near both limits was ever seen; the largest recorded one has about 100
 * KB.
 */
export const RESPONSE_LIMIT_BYTES = 32 * 1024 * 1024;

/** Calls one Chatwoot installation as one caller. `requestMs`: how long that Chatwoot lets a request run. */
export class ChatwootClient {
  constructor(
    private readonly fetch: typeof globalThis.fetch,
    private readonly baseUrl: string,
    private readonly token: string | null,
    readonly caller: Caller,
    private readonly requestMs: number,
  ) {
    if (token !== null && !isToken(token))
      throw new ProviderAuthError('A stored Chatwoot token has characters that no token has. Give the token again.');
  }

  /** Returns the JSON of a 2xx response; undefined if its body is empty. */
  async json(call: ApiCall, signal: AbortSignal): Promise<unknown> {
    const answer = await this.request(call, [], signal);
    return answer.body === 'notJson' ? undefined : answer.body.json;
  }

  /**
   * Returns a response that is 2xx with JSON or has one of the `expected` statuses. Throws any other one as an error.
   */
  async request(call: ApiCall, expected: readonly number[], signal: AbortSignal): Promise<ChatwootResponse> {
    const attempt: Attempt = {
      method: call.method,
      path: call.path.split('?')[0] ?? '',
      caller: this.caller,
      isWrite: call.method !== 'GET' && !call.isRead,
    };
    throwIfOver(signal);
    const answer = await this.send(call, attempt, signal);
    if (
      answer.body !== 'notJson' &&
      ((answer.status >= 200 && answer.status < 300) || expected.includes(answer.status))
    )
      return answer;
    throw errorForResponse(answer, attempt);
  }

  private async send(
    { method, path, body }: ApiCall,
    attempt: Attempt,
    signal: AbortSignal,
  ): Promise<ChatwootResponse> {
    const isForm = body instanceof Blob;
    const headers: Record<string, string> = { accept: 'application/json' };
    // nginx drops the documented header `api_access_token` unless configured to keep underscores. Rails accepts both
    // spellings.
    if (this.token !== null) headers['api-access-token'] = this.token;
    if (body && !isForm) headers['content-type'] = 'application/json';
    const began = performance.now();
    const ambiguousForMs = () => Math.max(0, Math.round(this.requestMs + began - performance.now()));
    try {
      const response = await this.fetch(this.baseUrl + path, {
        method,
        headers,
        signal,
        ...(isForm
          ? { ...UNBUFFERED_FETCH, body }
          : { redirect: 'manual', ...(body && { body: JSON.stringify(body) }) }),
      });
      const text = (await readAtMost(response.body, RESPONSE_LIMIT_BYTES)).toString('utf8');
      return {
        status: response.status,
        body: parseBody(text, response.ok),
        retryAfter: response.headers.get('retry-after'),
        ambiguousForMs: ambiguousForMs(),
      };
    } catch (error) {
      // Our own rate limit refused the request; nothing was sent.
      if (error instanceof ProviderUnavailableError) throw error;
      if (isRedirectError(error))
        return { status: 302, body: 'notJson', retryAfter: null, ambiguousForMs: ambiguousForMs() };
      throw errorWithoutResponse(error, attempt, signal.aborted, ambiguousForMs());
    }
  }
}

/** @throws ProviderUnavailableError if the call's time limit has passed; nothing was sent */
export function throwIfOver(signal: AbortSignal): void {
  if (isOver(signal))
    throw new ProviderUnavailableError(
      "The call's time limit had passed before it was sent to Chatwoot. Deliveries are retried; repeat any other call.",
    );
}

function parseBody(text: string, ok: boolean): ChatwootResponse['body'] {
  // Chatwoot responds to some writes with 200, application/json and an empty body. Its refusals always have a body.
  if (text === '') return ok ? { json: undefined } : 'notJson';
  try {
    return { json: JSON.parse(text) as unknown };
  } catch {
    return 'notJson';
  }
}
