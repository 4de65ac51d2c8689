import { BodyTooLongError } from '../../core/read-at-most';
import {
  AddressRefusedError,
  ProviderAuthError,
  ProviderDamagedError,
  ProviderRefusedError,
  ProviderUnavailableError,
  type SupportError,
} from '../../core/errors';

/** The owner of the token that a call carries. */
export type Caller = 'botAgent' | 'administrator' | 'agentBot' | 'platformApp' | 'nobody';

/** A response that was read completely. `json` is undefined for an empty body. */
export interface ChatwootResponse {
  readonly status: number;
  readonly body: { readonly json: unknown } | 'notJson';
  readonly retryAfter: string | null;
  /** Milliseconds after which a request that Chatwoot may still be running has either taken effect or never will. */
  readonly ambiguousForMs: number;
}

export interface Attempt {
  readonly method: string;
  readonly path: string;
  readonly caller: Caller;
  /** Whether the call may have changed something in Chatwoot. */
  readonly isWrite: boolean;
}

const CALLER_NAMES: Record<Caller, string> = {
  botAgent: 'BotAgent1',
  administrator: 'the administrator whose token was given',
  agentBot: 'the AgentBot',
  platformApp: 'the Platform App',
  nobody: 'a call without a token',
};

const ENABLE_AGAIN_STEP = 'Enable support for the organization again: it repairs this.';
const RATE_LIMIT_PAUSE_MS = 20_000;

const repairOf = (caller: Caller): string =>
  caller === 'administrator' ? 'Give the token of an administrator of this account.' : ENABLE_AGAIN_STEP;

/** Returns the end of a sentence. */
export const demotedReason = (caller: Caller): string =>
  `${CALLER_NAMES[caller]} is no longer an administrator of the account. Make ${CALLER_NAMES[caller]} an administrator again. ${repairOf(caller)}`;

/**
 * Explains a 401. Chatwoot 4.10 responds alike to a bad token, a missing role and a suspended account; only the text
 * differs.
 */
function unauthorizedMessage(text: string, caller: Caller): string {
  const who = CALLER_NAMES[caller];
  const repair = repairOf(caller);
  switch (text) {
    case 'Invalid Access Token':
      return `no longer knows the token of ${who}: it was reset, or ${who} was deleted. ${repair}`;
    case 'Invalid access_token':
      return "does not know the Platform App's token. Give the token from the super-admin console, Platform Apps.";
    case 'Non permissible resource':
      return 'reports that another Platform App created this. Give the token of that Platform App.';
    case 'You are not authorized to access this account':
      return `reports that ${who} was removed from the account. ${repair}`;
    case 'You are not authorized to do this action':
      return `refused the call, because ${demotedReason(caller)}`;
    case 'Access to this endpoint is not authorized for bots':
      return `was given a Platform App's or an agent bot's token where a user's is needed. ${repair}`;
    case 'Account is suspended':
      return "reports that the account is suspended. Activate it in the super-admin console (Accounts), or ask that Chatwoot's operator to do so.";
    case 'You need to sign in or sign up before continuing.':
      return 'did not receive the token: a proxy in front of it drops the api-access-token header. Let the proxy pass that header (the spelling without underscores, which nginx passes by default).';
    default:
      return `does not accept the credentials of ${who}. ${repair}`;
  }
}

/**
 * Texts of validation errors. Any other text of a 422 may be an outage that hides a stored row (Chatwoot 4.10, Redis
 * down).
 */
const REFUSING_TEXT =
  /^Validation failed|is not a valid |null byte|mismatched digest|param (is )?missing|^Invalid |^Incoming messages|^source_id should be unique/;

const textIn = (json: unknown): string => {
  const { error, errors } = (json ?? {}) as { error?: unknown; errors?: unknown };
  const text = error ?? (Array.isArray(errors) ? errors[0] : errors);
  return typeof text === 'string' ? text : '';
};

/**
 * Returns whether Chatwoot itself returned this error and so has finished the request: a 500 of Rails, or a 422 with a
 * reason. Any other error may come from a proxy that gave up while the request continues.
 */
function isFromChatwoot({ status, body }: ChatwootResponse): boolean {
  if (body === 'notJson' || textIn(body.json) === '') return false;
  const { status: said, ...others } = body.json as { status?: unknown };
  return Object.keys(others).length === 1 && (status === 422 || (status === 500 && said === 500));
}

/** Returns whether it is Chatwoot's own 500: the request failed and is finished. */
export const isServerCrash = (answer: ChatwootResponse): boolean => answer.status === 500 && isFromChatwoot(answer);

/** Chatwoot's text after it stored a message with a file name that no address can be made of (CONTRACT 2.2). */
const UNROUTABLE_FILE = /^No route matches \{/;

/** Returns the attributes that a validation error names. */
export function invalidAttributes(answer: ChatwootResponse): readonly string[] {
  if (answer.status !== 422 || answer.body === 'notJson') return [];
  const attributes = (answer.body.json as { attributes?: unknown } | null)?.attributes;
  return Array.isArray(attributes) ? attributes.filter(name => typeof name === 'string') : [];
}

/**
 * Converts an unexpected response to an error of the core. A body never becomes part of the message: it contains users'
 * texts and visitors' tokens.
 */
export function errorForResponse(answer: ChatwootResponse, attempt: Attempt): SupportError {
  const { status, body } = answer;
  const call = `${attempt.method} ${attempt.path} (${status})`;
  const text = body === 'notJson' ? '' : textIn(body.json);
  const ifWritten = attempt.isWrite
    ? ({ delivered: 'unknown', ambiguousForMs: isFromChatwoot(answer) ? 0 : answer.ambiguousForMs } as const)
    : {};

  if (status === 429)
    return new ProviderUnavailableError(
      `Chatwoot's rate limit refused ${call}. Deliveries are retried; repeat any other call later.`,
      { retryAfterMs: retryAfterMs(answer.retryAfter), isRateLimited: true },
    );
  if (status >= 500)
    return new ProviderUnavailableError(`Chatwoot failed at ${call}. Check its log if this continues.`, {
      ...ifWritten,
      ...(answer.retryAfter && { retryAfterMs: retryAfterMs(answer.retryAfter) }),
    });
  if (status >= 300 && status < 400)
    return new ProviderUnavailableError(
      `${call} was redirected. Set the base URL to the address at which Chatwoot itself responds.`,
    );
  if (status < 300) return new ProviderUnavailableError(notApiMessage(call), ifWritten);
  if (body === 'notJson') return proxyError(status, call);

  if (status === 401)
    return text === 'Invalid User IDs'
      ? new ProviderRefusedError(
          `Chatwoot does not know one of the users of ${call} in this account. Refresh the agents and choose others.`,
        )
      : new ProviderAuthError(`Chatwoot ${unauthorizedMessage(text, attempt.caller)} [${call}]`);
  if (status === 404 && !text) return proxyError(status, call);
  if (status === 404)
    return new ProviderRefusedError(`Chatwoot does not have the object of ${call}; it was deleted or never existed.`, {
      gone: true,
    });
  if (status === 422) {
    if (text.includes('Too many messages'))
      return new ProviderUnavailableError(
        `The conversation has reached Chatwoot's limit of messages per minute [${call}]; the call is retried later.`,
        { retryAfterMs: RATE_LIMIT_PAUSE_MS, isRateLimited: true },
      );
    if (attempt.isWrite && UNROUTABLE_FILE.test(text))
      return new ProviderDamagedError(
        `Chatwoot stored the message of ${call} and cannot show it, because a file has a blank name; the history of that conversation fails from now on. The message is not posted again. Let an administrator delete the conversation: the session continues in a new one, without this message.`,
      );
    const attributes = invalidAttributes(answer);
    if (attributes.length === 0 && !REFUSING_TEXT.test(text))
      return new ProviderUnavailableError(`Chatwoot failed at ${call}. Check its log if this continues.`, ifWritten);
    return new ProviderRefusedError(
      `Chatwoot refused the input of ${call}${attributes.length ? `: ${attributes.join(', ')}` : ''}.`,
    );
  }
  return new ProviderRefusedError(`Chatwoot refused ${call}.`);
}

const notApiMessage = (call: string): string =>
  `${call} got a page, not a response of Chatwoot's API. Check the base URL, which is the address before /app and contains neither /app nor /api, and any proxy in front of Chatwoot.`;

/**
 * Converts a refusal that is not JSON. Chatwoot's API refuses in JSON, so a page comes from a proxy in front of it,
 * perhaps only during a deployment.
 */
function proxyError(status: number, call: string): SupportError {
  if (status === 401 || status === 403 || status === 407)
    return new ProviderAuthError(`A proxy in front of Chatwoot refused ${call}. Let it pass this service's address.`);
  if (status === 413)
    return new ProviderRefusedError(`A proxy in front of Chatwoot refused ${call} as too large. Raise its body limit.`);
  return new ProviderUnavailableError(notApiMessage(call));
}

function retryAfterMs(header: string | null): number {
  const seconds = Number(header);
  return header && Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 3600) * 1000 : RATE_LIMIT_PAUSE_MS;
}

/** Codes of a connection that was never made, so that nothing can have been written. */
const NOT_CONNECTED =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|ERR_INVALID_URL)$|CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS/;

function adviceOn(code: string, timedOut: boolean): string {
  if (code === 'ENOTFOUND' || code === 'ERR_INVALID_URL')
    return 'No server has that name. Check the host in the base URL.';
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS/.test(code))
    return 'This process does not trust its certificate. Renew it, or give this process the authority that signed it (NODE_EXTRA_CA_CERTS).';
  if (timedOut) return 'Check that it runs and is not overloaded. Pending deliveries are retried.';
  return "Check that it runs, and that this machine can reach the base URL's host and port. Pending deliveries are retried.";
}

/**
 * Converts the failure of a call without a complete response: refused, cut, or ended by its time limit.
 * @param ambiguousForMs as in a response
 */
export function errorWithoutResponse(
  cause: unknown,
  attempt: Attempt,
  timedOut: boolean,
  ambiguousForMs: number,
): ProviderUnavailableError {
  const call = `${attempt.method} ${attempt.path}`;
  if (cause instanceof AddressRefusedError)
    return new ProviderUnavailableError(`Chatwoot was not called for ${call}. ${cause.message}`, {
      delivered: 'no',
      cause,
    });
  const ifWritten = attempt.isWrite
    ? ({ delivered: 'unknown', ambiguousForMs: ambiguousForMs } as const)
    : ({ delivered: 'no' } as const);
  if (cause instanceof BodyTooLongError)
    return new ProviderUnavailableError(
      `The response to ${call} is larger than this service reads. Check which server responds at the base URL.`,
      { ...ifWritten, cause },
    );
  const reason = (cause as { cause?: { code?: unknown } } | null)?.cause ?? cause;
  const code = String((reason as { code?: unknown } | null)?.code ?? '');
  const notConnected = !timedOut && NOT_CONNECTED.test(code);
  const what = timedOut ? 'did not respond in time' : notConnected ? 'cannot be reached' : 'cut the connection';
  return new ProviderUnavailableError(`Chatwoot ${what} at ${call}. ${adviceOn(code, timedOut)}`, {
    ...(notConnected ? ({ delivered: 'no' } as const) : ifWritten),
    cause,
  });
}
