import { readAtMost } from '../../core/bounded-read';
import { ProviderAuthError, ProviderUnavailableError } from '../../core/errors';
import { isOver } from '../../core/time-limit';
import { failureOf, failureWithoutAnswer, type Answer, type Attempt, type Caller } from './errors';

export interface Call {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  readonly path: string;
  /** JSON, or a form with its type. */
  readonly body?: object | Blob;
  /** Set for a POST that only reads. */
  readonly reads?: true;
}

/** Returns whether a token may be put into a header. Fetch would quote any other one in its error's text. */
export const isToken = (token: unknown): token is string => typeof token === 'string' && /^[\x21-\x7e]{1,500}$/.test(token);

/**
 * For form uploads. Node's fetch keeps a copy of the sent body in case it must send it again, unless redirects are
 * errors and there is no window for a password prompt (undici 6, read and measured). Without these options a form would
 * be wholly in memory.
 */
const SENT_ONCE = { redirect: 'error', window: null } as const;

/** Recognizes fetch's error for a redirect by its message. */
const isRedirect = (error: unknown): boolean => ((error as { cause?: Error } | null)?.cause?.message ?? '') === 'unexpected redirect';

/**
 * Limit of one response, in bytes after inflating. Chatwoot limits a range of messages to 1,000 rows and a text to
 * 150,000 characters (CONTRACT.md). No response near both limits was ever seen; the largest recorded one has about 100
 * KB.
 */
export const ANSWER_LIMIT_BYTES = 32 * 1024 * 1024;

/** Calls one Chatwoot installation as one caller. `requestMs`: how long that Chatwoot lets a request run. */
export class ChatwootClient {
  constructor(private readonly fetch: typeof globalThis.fetch, private readonly baseUrl: string, private readonly token: string | null, readonly caller: Caller, private readonly requestMs: number) {
    if (token !== null && !isToken(token)) throw new ProviderAuthError('A stored Chatwoot token has characters that no token has. Give the token again.');
  }

  /** Returns the JSON of a 2xx response; undefined if its body is empty. */
  async json(call: Call, signal: AbortSignal): Promise<unknown> {
    const answer = await this.answer(call, [], signal);
    return answer.body === 'notJson' ? undefined : answer.body.json;
  }

  /**
   * Returns a response that is 2xx with JSON or has one of the `expected` statuses. Throws any other one as an error.
   */
  async answer(call: Call, expected: readonly number[], signal: AbortSignal): Promise<Answer> {
    const attempt: Attempt = { method: call.method, path: call.path.split('?')[0] ?? '', caller: this.caller, writes: call.method !== 'GET' && !call.reads };
    throwIfOver(signal);
    const answer = await this.send(call, attempt, signal);
    if (answer.body !== 'notJson' && ((answer.status >= 200 && answer.status < 300) || expected.includes(answer.status))) return answer;
    throw failureOf(answer, attempt);
  }

  private async send({ method, path, body }: Call, attempt: Attempt, signal: AbortSignal): Promise<Answer> {
    const isForm = body instanceof Blob;
    const headers: Record<string, string> = { accept: 'application/json' };
    // nginx drops the documented header `api_access_token` unless configured to keep underscores. Rails accepts both
    // spellings.
    if (this.token !== null) headers['api-access-token'] = this.token;
    if (body && !isForm) headers['content-type'] = 'application/json';
    const began = performance.now();
    const settlesAfterMs = () => Math.max(0, Math.round(this.requestMs + began - performance.now()));
    try {
      const response = await this.fetch(this.baseUrl + path, {
        method, headers, signal, ...(isForm ? { ...SENT_ONCE, body } : { redirect: 'manual', ...(body && { body: JSON.stringify(body) }) }),
      });
      const text = (await readAtMost(response.body, ANSWER_LIMIT_BYTES)).toString('utf8');
      return {
        status: response.status, body: parsed(text, response.ok),
        retryAfter: response.headers.get('retry-after'), settlesAfterMs: settlesAfterMs(),
      };
    } catch (error) {
      // Our own rate limit refused the request; nothing was sent.
      if (error instanceof ProviderUnavailableError) throw error;
      if (isRedirect(error)) return { status: 302, body: 'notJson', retryAfter: null, settlesAfterMs: settlesAfterMs() };
      throw failureWithoutAnswer(error, attempt, signal.aborted, settlesAfterMs());
    }
  }
}

/** @throws ProviderUnavailableError if the call's time limit has passed; nothing was sent */
export function throwIfOver(signal: AbortSignal): void {
  if (isOver(signal)) throw new ProviderUnavailableError('The call\'s time limit had passed before it was sent to Chatwoot. Deliveries are retried; repeat any other call.');
}

function parsed(text: string, ok: boolean): Answer['body'] {
  // Chatwoot responds to some writes with 200, application/json and an empty body. Its refusals always have a body.
  if (text === '') return ok ? { json: undefined } : 'notJson';
  try {
    return { json: JSON.parse(text) as unknown };
  } catch {
    return 'notJson';
  }
}
