import { readAtMost } from '../../core/bounded-read';
import { ProviderAuthError, ProviderUnavailableError } from '../../core/errors';
import { isOver } from '../../core/time-limit';
import { failureOf, failureWithoutAnswer, type Answer, type Attempt, type Caller } from './errors';

export interface Call {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  readonly path: string;
  /** JSON, or a form with its type. */
  readonly body?: object | Blob;
  /** Set for a POST that only looks something up. */
  readonly reads?: true;
}

/** A token that can stand in a header; anything else would end up in the text of fetch's error. */
export const isToken = (token: unknown): token is string => typeof token === 'string' && /^[\x21-\x7e]{1,500}$/.test(token);

/**
 * Node's fetch keeps a copy of all it has sent of a body, in case it has to send it again, unless a redirect is an error
 * and there is no window to ask for a password in (undici 6, read and measured): a form would be whole in memory.
 */
const SENT_ONCE = { redirect: 'error', window: null } as const;

/** That is how it says so. */
const isRedirect = (error: unknown): boolean => ((error as { cause?: Error } | null)?.cause?.message ?? '') === 'unexpected redirect';

/**
 * Bytes of one answer, inflated. Chatwoot caps a range of messages at 1,000 rows and a text at 150,000 characters (CONTRACT.md);
 * answers near both at once were never seen, and the largest recorded one has some 100 KB.
 */
export const ANSWER_LIMIT_BYTES = 32 * 1024 * 1024;

/** One Chatwoot installation, as one caller. `requestMs`: for how long it lets a request run. */
export class ChatwootClient {
  constructor(private readonly fetch: typeof globalThis.fetch, private readonly baseUrl: string, private readonly token: string | null, readonly caller: Caller, private readonly requestMs: number) {
    if (token !== null && !isToken(token)) throw new ProviderAuthError('A stored Chatwoot token cannot be one. Give it again.');
  }

  /** The JSON of a 2xx answer, undefined when its body is empty. */
  async json(call: Call, signal: AbortSignal): Promise<unknown> {
    const answer = await this.answer(call, [], signal);
    return answer.body === 'notJson' ? undefined : answer.body.json;
  }

  /** An answer that is 2xx with JSON or has one of the `expected` statuses; any other is thrown. */
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
    // nginx drops the documented `api_access_token` unless it is told to keep underscores; Rails takes both.
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
      // Our own pace held it back: nothing was sent.
      if (error instanceof ProviderUnavailableError) throw error;
      if (isRedirect(error)) return { status: 302, body: 'notJson', retryAfter: null, settlesAfterMs: settlesAfterMs() };
      throw failureWithoutAnswer(error, attempt, signal.aborted, settlesAfterMs());
    }
  }
}

/** @throws ProviderUnavailableError when the call's time is over and nothing was sent yet */
export function throwIfOver(signal: AbortSignal): void {
  if (isOver(signal)) throw new ProviderUnavailableError('The time for this call to Chatwoot was over before it was sent.');
}

function parsed(text: string, ok: boolean): Answer['body'] {
  // Chatwoot answers some writes with 200, application/json and no body at all; its refusals always have one.
  if (text === '') return ok ? { json: undefined } : 'notJson';
  try {
    return { json: JSON.parse(text) as unknown };
  } catch {
    return 'notJson';
  }
}
