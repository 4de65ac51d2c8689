const LONGEST_TRANSCRIPT = 400;
const MOST_SESSIONS = 30;
const AT_START = { control: 'BOT', epoch: null, handoffState: null, handoff: null };

/**
 * What the end-user's window knows of one conversation. Kept in sessionStorage at every change: a reload loses nothing,
 * and nothing is acknowledged to the service before it is kept here.
 */
export function createConversation(chatbotId, newId) {
  const storageKey = `try:conversation:${chatbotId}`;
  const listeners = new Set();
  const kept = read(storageKey);
  const data = { externalId: newId(), sessionId: null, sessions: [], epoch: null, lines: [], bot: null, ...kept };
  let status = AT_START;

  const keep = () => {
    try { sessionStorage.setItem(storageKey, JSON.stringify({ ...data, lines: data.lines.slice(-LONGEST_TRANSCRIPT) })); } catch { /* storage is full or off: the page works until it is reloaded */ }
  };
  const tell = (change) => { keep(); for (const listener of listeners) listener(change); };

  return {
    get externalId() { return data.externalId; },
    get sessionId() { return data.sessionId; },
    get lines() { return data.lines; },
    get status() { return status; },
    /** Of the last answer or event, which is what a bot may believe in. */
    get epoch() { return data.epoch; },
    get bot() { return data.bot; },
    listen(listener) { listeners.add(listener); return () => listeners.delete(listener); },
    has: (lineId) => data.lines.some(({ id }) => id === lineId),
    isOurs: (sessionId) => data.sessions.includes(sessionId),

    opened(session) {
      data.sessionId = session.id;
      data.epoch = session.epoch;
      data.sessions = [...data.sessions.filter((id) => id !== session.id), session.id].slice(-MOST_SESSIONS);
      tell({ type: 'session' });
    },
    /** A line that is known already is left alone: deliveries may come twice. */
    add(line) {
      if (this.has(line.id)) return line;
      data.lines.push({ at: new Date().toISOString(), ...line });
      tell({ type: 'line', line: data.lines.at(-1) });
      return data.lines.at(-1);
    },
    change(lineId, patch) {
      const line = data.lines.find(({ id }) => id === lineId);
      if (line) tell({ type: 'changed', line: Object.assign(line, patch) });
    },
    believe(session) { if (session && session.id === data.sessionId) data.epoch = Math.max(data.epoch ?? 0, session.epoch); keep(); },
    remember(bot) { data.bot = bot; keep(); },
    show(next) { status = next; tell({ type: 'status' }); },
    /** Forgets what was said; the sessions stay known, for what is still delivered for them. */
    restart() {
      Object.assign(data, { externalId: newId(), sessionId: null, epoch: null, lines: [], bot: null });
      status = AT_START;
      tell({ type: 'restart' });
    },
  };
}

function read(key) {
  try { return JSON.parse(sessionStorage.getItem(key) ?? '{}'); } catch { return {}; }
}
