const LONGEST_TRANSCRIPT = 400;
const MOST_SESSIONS = 30;
const AT_START = { control: 'BOT', epoch: null, handoffState: null, handoff: null };

/**
 * The page's state of one conversation. Stored in sessionStorage at every change, so that a reload loses nothing and
 * nothing is acknowledged to the service before it is stored.
 */
export function createConversation(chatbotId, newId) {
  const storageKey = `try:conversation:${chatbotId}`;
  const listeners = new Set();
  const kept = read(storageKey);
  const data = { externalId: newId(), sessionId: null, sessions: [], epoch: null, lines: [], bot: null, ...kept };
  let status = AT_START;

  const keep = () => {
    try {
      sessionStorage.setItem(storageKey, JSON.stringify({ ...data, lines: data.lines.slice(-LONGEST_TRANSCRIPT) }));
    } catch {
      /* storage is full or disabled: the page works until a reload */
    }
  };
  const tell = change => {
    keep();
    for (const listener of listeners) listener(change);
  };

  return {
    get externalId() {
      return data.externalId;
    },
    get sessionId() {
      return data.sessionId;
    },
    get lines() {
      return data.lines;
    },
    get status() {
      return status;
    },
    /** From the last result or event; the bot believes it to be current. */
    get epoch() {
      return data.epoch;
    },
    get bot() {
      return data.bot;
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    has: postId => data.lines.some(({ id }) => id === postId),
    isOurs: sessionId => data.sessions.includes(sessionId),

    opened(session) {
      data.sessionId = session.id;
      data.epoch = session.epoch;
      data.sessions = [...data.sessions.filter(id => id !== session.id), session.id].slice(-MOST_SESSIONS);
      tell({ type: 'session' });
    },
    /** Ignores a line that exists, because deliveries may come twice. */
    add(line) {
      if (this.has(line.id)) return line;
      data.lines.push({ at: new Date().toISOString(), ...line });
      tell({ type: 'line', line: data.lines.at(-1) });
      return data.lines.at(-1);
    },
    change(postId, patch) {
      const line = data.lines.find(({ id }) => id === postId);
      if (line) tell({ type: 'changed', line: Object.assign(line, patch) });
    },
    believe(session) {
      if (session && session.id === data.sessionId) data.epoch = Math.max(data.epoch ?? 0, session.epoch);
      keep();
    },
    remember(bot) {
      data.bot = bot;
      keep();
    },
    show(next) {
      status = next;
      tell({ type: 'status' });
    },
    /** Clears the transcript. Keeps the sessions, because more deliveries of theirs may come. */
    restart() {
      Object.assign(data, { externalId: newId(), sessionId: null, epoch: null, lines: [], bot: null });
      status = AT_START;
      tell({ type: 'restart' });
    },
  };
}

function read(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? '{}');
  } catch {
    return {};
  }
}
