import { OPERATIONS } from './operations.js';

/** The answer never came, or was no answer: the same call, with the same idempotency key, may be made again. */
export class CallFailed extends Error {
  constructor(code, message, mayRetry) {
    super(message);
    this.code = code;
    this.mayRetry = mayRetry;
  }
}

/**
 * Queries and mutations: one POST each.
 * @param {{ url: string, log: import('./wire-log.js').WireLog }} deps
 * @returns {(name: string, variables: object) => Promise<any>} the operation's only root field
 */
export function createGraphql({ url, log }) {
  return async function call(name, variables) {
    const entry = log.started({ name, document: OPERATIONS[name], variables });
    try {
      const answer = await post(url, { operationName: name, query: OPERATIONS[name], variables });
      const payload = answer.data ? Object.values(answer.data)[0] : null;
      const error = answer.errors?.[0];
      entry.answered(answer, error ? [error.extensions?.code ?? 'ERROR'] : (payload?.userErrors ?? []).map(({ code }) => code));
      if (error) throw new CallFailed(error.extensions?.code ?? 'ERROR', error.message, error.extensions?.retryable === true);
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
    throw new CallFailed(`HTTP_${response.status}`, `The service answered ${response.status} without JSON.`, response.status >= 500);
  }
}

/** Also where crypto.randomUUID is missing: pages opened over plain http from another machine. */
export const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, '0')).join('');
