import { OPERATIONS } from './operations.js';

/** A failed call. If `mayRetry` is true, the same call with the same idempotency key may be repeated. */
export class CallFailed extends Error {
  constructor(code, message, mayRetry) {
    super(message);
    this.code = code;
    this.mayRetry = mayRetry;
  }
}

/**
 * Creates the function for queries and mutations, which sends one POST each.
 * @param {{ url: string, log: import('./wire-log.js').WireLog }} deps
 * @returns {(name: string, variables: object) => Promise<any>} the value of the operation's only root field
 */
export function createGraphql({ url, log }) {
  return async function call(name, variables) {
    const entry = log.started({ name, document: OPERATIONS[name], variables });
    try {
      const answer = await post(url, { operationName: name, query: OPERATIONS[name], variables });
      const payload = answer.data ? Object.values(answer.data)[0] : null;
      const error = answer.errors?.[0];
      entry.answered(
        answer,
        error ? [error.extensions?.code ?? 'ERROR'] : (payload?.userErrors ?? []).map(({ code }) => code),
      );
      if (error)
        throw new CallFailed(error.extensions?.code ?? 'ERROR', error.message, error.extensions?.retryable === true);
      return payload;
    } catch (error) {
      if (!(error instanceof CallFailed)) throw error;
      entry.failed(error.code);
      throw error;
    }
  };
}

async function post(url, body) {
  let response;
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json, application/json' },
      body: JSON.stringify(body),
    });
  } catch {
    throw new CallFailed('UNREACHABLE', 'The service cannot be reached.', true);
  }
  try {
    return await response.json();
  } catch {
    throw new CallFailed(
      `HTTP_${response.status}`,
      `The service responded with status ${response.status} and without JSON.`,
      response.status >= 500,
    );
  }
}

/** Works without crypto.randomUUID, which is missing on pages from another machine over plain http. */
export const newKey = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(12)), byte => byte.toString(16).padStart(2, '0')).join('');
