/** What the server refused, or that it could not be reached (`code: 'UNREACHABLE'`). `message` is for people. */
export class Problem extends Error {
  constructor(code, message) { super(message); this.code = code; }
}

/** Where the service asks for proof, the page that opens the desk hands it over as `#token=…`; it stays in memory. */
const token = new URLSearchParams(location.hash.slice(1)).get('token');
if (token) history.replaceState(null, '', location.pathname + location.search);

let agentId = null;
export const actAs = (id) => { agentId = id; };

async function ask(method, path, body) {
  let response;
  try {
    response = await fetch(`api/${path}`, {
      method,
      headers: {
        ...(token && { authorization: `Bearer ${token}` }),
        ...(agentId && { 'x-desk-agent': agentId }),
        ...(body && { 'content-type': 'application/json' }),
      },
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(30_000),
    });
  } catch {
    throw new Problem('UNREACHABLE', 'The desk cannot be reached. Nothing is lost; try again.');
  }
  const answer = await response.json().catch(() => null);
  if (response.ok && answer) return answer;
  throw new Problem(answer?.error?.code ?? `HTTP_${response.status}`, answer?.error?.message ?? `The desk answered ${response.status}.`);
}

export const get = (path, query = {}) => ask('GET', `${path}?${new URLSearchParams(query)}`);
export const post = (path, body = {}) => ask('POST', path, body);
