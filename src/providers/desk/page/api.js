/** An error with a `message` for the agent. `code` is the server's, or `UNREACHABLE` if there was no response. */
export class Problem extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** If the service requires a token, the page that opens the desk passes it as `#token=…`. It is kept in memory only. */
const token = new URLSearchParams(location.hash.slice(1)).get('token');
if (token) history.replaceState(null, '', location.pathname + location.search);

let agentId = null;
export const actAs = id => {
  agentId = id;
};

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
    throw new Problem('UNREACHABLE', 'The desk cannot be reached. Your text is still here; try again.');
  }
  const answer = await response.json().catch(() => null);
  if (response.ok && answer) return answer;
  throw new Problem(
    answer?.error?.code ?? `HTTP_${response.status}`,
    answer?.error?.message ?? `The desk responded with status ${response.status}; try again.`,
  );
}

/**
 * Calls `onChange` whenever something changed at the desk, while the connection lasts. Resolves when the connection is
 * lost.
 * @throws Problem if the server refuses the stream
 */
export async function follow(onChange) {
  const response = await fetch('api/changes', {
    headers: { accept: 'text/event-stream', ...(token && { authorization: `Bearer ${token}` }) },
  });
  if (!response.ok)
    throw new Problem(`HTTP_${response.status}`, `The desk responded with status ${response.status}; try again.`);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    if (value.includes('event: changed')) onChange();
  }
}

export const get = (path, query = {}) => ask('GET', `${path}?${new URLSearchParams(query)}`);
export const post = (path, body = {}) => ask('POST', path, body);
