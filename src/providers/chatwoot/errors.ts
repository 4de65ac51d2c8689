import { TooManyBytesError } from '../../core/bounded-read';
import { AddressRefusedError, ProviderAuthError, ProviderDamagedError, ProviderRefusedError, ProviderUnavailableError, type SupportError } from '../../core/errors';

/** Whose token a call carries. */
export type Caller = 'botAgent' | 'administrator' | 'agentBot' | 'platformApp' | 'nobody';

/** What came back, read to its end. `json` holds undefined for an empty body. */
export interface Answer {
  readonly status: number;
  readonly body: { readonly json: unknown } | 'notJson';
  readonly retryAfter: string | null;
  /** From when on a request that Chatwoot may still be at has taken effect, or never will. */
  readonly settlesAfterMs: number;
}

export interface Attempt {
  readonly method: string;
  readonly path: string;
  readonly caller: Caller;
  /** Whether it may have changed something there. */
  readonly writes: boolean;
}

const CALLERS: Record<Caller, string> = {
  botAgent: 'BotAgent1',
  administrator: 'the administrator whose token was given',
  agentBot: 'the AgentBot',
  platformApp: 'the Platform App',
  nobody: 'a call without a token',
};

const SET_UP_AGAIN = 'Enable support for the organization again: it repairs this.';
const RATE_LIMIT_PAUSE_MS = 20_000;

const repairOf = (caller: Caller): string => (caller === 'administrator' ? 'Give the token of an administrator of this account.' : SET_UP_AGAIN);

/** As the end of a sentence. */
export const demoted = (caller: Caller): string =>
  `${CALLERS[caller]} is no longer an administrator of the account. Make ${CALLERS[caller]} one again. ${repairOf(caller)}`;

/** Chatwoot 4.10 says 401 for a bad token, a missing role and a suspended account alike; only the text tells. */
function unauthorized(text: string, caller: Caller): string {
  const who = CALLERS[caller];
  const repair = repairOf(caller);
  switch (text) {
    case 'Invalid Access Token':
      return `does not know the token of ${who} any more: it was reset, or ${who} was deleted. ${repair}`;
    case 'Invalid access_token':
      return 'does not know the Platform App\'s token. Give the token from the super-admin console, Platform Apps.';
    case 'Non permissible resource':
      return 'says that another Platform App made this. Give the token of that Platform App.';
    case 'You are not authorized to access this account':
      return `says that ${who} was removed from the account. ${repair}`;
    case 'You are not authorized to do this action':
      return `does not let us do this, because ${demoted(caller)}`;
    case 'Access to this endpoint is not authorized for bots':
      return `was given a Platform App's or an agent bot's token where a user's is needed. ${repair}`;
    case 'Account is suspended':
      return 'says that the account is suspended. Activate it again in the super-admin console (Accounts), or ask whoever runs that Chatwoot to.';
    case 'You need to sign in or sign up before continuing.':
      return 'did not see our token: a proxy in front of it drops the api-access-token header. Let that header through (we use the spelling without underscores, which nginx passes on by itself).';
    default:
      return `does not accept the credentials of ${who}. ${repair}`;
  }
}

/** What a validation says; anything else in a 422 may be an outage that hides a stored row (Chatwoot 4.10, Redis down). */
const REFUSING_TEXT = /^Validation failed|is not a valid |null byte|mismatched digest|param (is )?missing|^Invalid |^Incoming messages|^source_id should be unique/;

const textIn = (json: unknown): string => {
  const { error, errors } = (json ?? {}) as { error?: unknown; errors?: unknown };
  const text = error ?? (Array.isArray(errors) ? errors[0] : errors);
  return typeof text === 'string' ? text : '';
};

/**
 * Whether Chatwoot itself gave this error, so that it is no longer at the request: Rails' own 500, and a 422 with a reason. Any
 * other may come from something in front of it, in JSON or not, which gave up while the request goes on.
 */
function isOverThere({ status, body }: Answer): boolean {
  if (body === 'notJson' || textIn(body.json) === '') return false;
  const { status: said, ...others } = body.json as { status?: unknown };
  return Object.keys(others).length === 1 && (status === 422 || (status === 500 && said === 500));
}

/** Chatwoot's own 500: it has failed at this request, and is done with it. */
export const isCrash = (answer: Answer): boolean => answer.status === 500 && isOverThere(answer);

/** Said when a message was stored whose file has a name that no address can be made of (CONTRACT 2.2). */
const UNSHOWABLE = /^No route matches \{/;

/** The attributes that a validation names. */
export function refusedAttributes(answer: Answer): readonly string[] {
  if (answer.status !== 422 || answer.body === 'notJson') return [];
  const attributes = (answer.body.json as { attributes?: unknown } | null)?.attributes;
  return Array.isArray(attributes) ? attributes.filter((name) => typeof name === 'string') : [];
}

/**
 * Any answer that is not the wanted one, as an error of the core. Bodies never go into messages: they hold what people
 * said and visitors' tokens.
 */
export function failureOf(answer: Answer, attempt: Attempt): SupportError {
  const { status, body } = answer;
  const call = `${attempt.method} ${attempt.path} (${status})`;
  const text = body === 'notJson' ? '' : textIn(body.json);
  const ifWritten = attempt.writes ? { delivered: 'unknown', settlesAfterMs: isOverThere(answer) ? 0 : answer.settlesAfterMs } as const : {};

  if (status === 429)
    return new ProviderUnavailableError(`Chatwoot asks us to slow down at ${call}.`, { retryAfterMs: retryAfterMs(answer.retryAfter), answered: true });
  if (status >= 500)
    return new ProviderUnavailableError(`Chatwoot failed at ${call}.`, { ...ifWritten, ...(answer.retryAfter && { retryAfterMs: retryAfterMs(answer.retryAfter) }) });
  if (status >= 300 && status < 400)
    return new ProviderUnavailableError(`${call} was redirected: use the address that Chatwoot itself answers at as base URL.`);
  if (status < 300)
    return new ProviderUnavailableError(notTheApi(call), ifWritten);
  if (body === 'notJson') return refusedByProxy(status, call);

  if (status === 401)
    return text === 'Invalid User IDs'
      ? new ProviderRefusedError(`Chatwoot does not know one of the users of ${call} in this account.`)
      : new ProviderAuthError(`Chatwoot ${unauthorized(text, attempt.caller)} [${call}]`);
  if (status === 404 && !text) return refusedByProxy(status, call);
  if (status === 404) return new ProviderRefusedError(`What ${call} is about does not exist in Chatwoot (any more).`, { gone: true });
  if (status === 422) {
    if (text.includes('Too many messages'))
      return new ProviderUnavailableError(`The conversation has had its messages of this minute [${call}].`, { retryAfterMs: RATE_LIMIT_PAUSE_MS, answered: true });
    if (attempt.writes && UNSHOWABLE.test(text))
      return new ProviderDamagedError(`Chatwoot has stored what was posted at ${call} and cannot show it, because a file has a blank name; the history of that conversation fails from now on. It is not posted again. Let an administrator delete the conversation: the session goes on in a new one, without this message.`);
    const attributes = refusedAttributes(answer);
    if (attributes.length === 0 && !REFUSING_TEXT.test(text))
      return new ProviderUnavailableError(`Chatwoot failed at ${call}.`, ifWritten);
    return new ProviderRefusedError(`Chatwoot does not take the input of ${call}${attributes.length ? `: ${attributes.join(', ')}` : ''}.`);
  }
  return new ProviderRefusedError(`Chatwoot refused ${call}.`);
}

const notTheApi = (call: string): string =>
  `${call} was not answered by Chatwoot's API but by a page. Check the base URL: it is the address before /app, with nothing of /app or /api in it; and check any proxy on the way.`;

/** Chatwoot's API refuses in JSON; a page comes from something in front of it, which may be gone after a deployment. */
function refusedByProxy(status: number, call: string): SupportError {
  if (status === 401 || status === 403 || status === 407)
    return new ProviderAuthError(`Something in front of Chatwoot refuses us at ${call}. Let our address through.`);
  if (status === 413) return new ProviderRefusedError(`Something in front of Chatwoot finds ${call} too large.`);
  return new ProviderUnavailableError(notTheApi(call));
}

function retryAfterMs(header: string | null): number {
  const seconds = Number(header);
  return header && Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 3600) * 1000 : RATE_LIMIT_PAUSE_MS;
}

/** Codes of a connection that was never made: nothing can have been written. */
const NOT_CONNECTED = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|ERR_INVALID_URL)$|CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS/;

function adviceOn(code: string, timedOut: boolean): string {
  if (code === 'ENOTFOUND' || code === 'ERR_INVALID_URL') return 'No server has that name: check the host in the base URL.';
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS/.test(code)) return 'Its certificate is not trusted here: renew it, or give this process the authority that signed it (NODE_EXTRA_CA_CERTS).';
  if (timedOut) return 'Check that it runs and is not overloaded; what is owed waits and is tried again.';
  return 'Check that it runs, and that base URL and port can be reached from this machine; what is owed waits and is tried again.';
}

/**
 * A call that got no whole answer: refused, cut, or ended by its time limit.
 * @param settlesAfterMs as in an answer
 */
export function failureWithoutAnswer(cause: unknown, attempt: Attempt, timedOut: boolean, settlesAfterMs: number): ProviderUnavailableError {
  const call = `${attempt.method} ${attempt.path}`;
  if (cause instanceof AddressRefusedError)
    return new ProviderUnavailableError(`Chatwoot was not called at ${call}. ${cause.message}`, { delivered: 'no', cause });
  const ifWritten = attempt.writes ? { delivered: 'unknown', settlesAfterMs } as const : { delivered: 'no' } as const;
  if (cause instanceof TooManyBytesError)
    return new ProviderUnavailableError(`Chatwoot answered ${call} with more than this service reads. Check what answers at the base URL.`, { ...ifWritten, cause });
  const reason = (cause as { cause?: { code?: unknown } } | null)?.cause ?? cause;
  const code = String((reason as { code?: unknown } | null)?.code ?? '');
  const notConnected = !timedOut && NOT_CONNECTED.test(code);
  const what = timedOut ? 'did not answer in time' : notConnected ? 'cannot be reached' : 'cut the connection';
  return new ProviderUnavailableError(`Chatwoot ${what} at ${call}. ${adviceOn(code, timedOut)}`, { ...(notConnected ? { delivered: 'no' } as const : ifWritten), cause });
}
