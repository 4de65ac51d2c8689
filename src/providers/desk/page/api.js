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

/**
 * Calls `onChange` whenever something changed at the desk, for as long as the connection lasts.
 * @returns when the connection is lost, or was refused
 */
export async function follow(onChange) {
  const response = await fetch('api/changes', { headers: { accept: 'text/event-stream', ...(token && { authorization: `Bearer ${token}` }) } });
  if (!response.ok) throw new Problem(`HTTP_${response.status}`, `The desk answered ${response.status}.`);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    if (value.includes('event: changed')) onChange();
  }
}

export const get = (path, query = {}) => ask('GET', `${path}?${new URLSearchParams(query)}`);
export const post = (path, body = {}) => ask('POST', path, body);
