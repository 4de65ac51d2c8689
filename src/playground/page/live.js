import { OPERATIONS } from './operations.js';

const PING_EVERY_MS = 12_000;
const SILENT_TOO_LONG_MS = 30_000;
const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 8_000;
/**
 * Close codes of graphql-transport-ws after which a reconnect is futile: bad request, unauthorized, forbidden,
 * subprotocol.
 */
const REFUSED = new Set([4400, 4401, 4403, 4406]);

/**
 * Creates subscriptions over graphql-transport-ws, on one socket that reconnects automatically.
 * @param {{ url: string, log: import('./wire-log.js').WireLog, onState: (state:
 * 'connecting'|'open'|'waiting'|'refused') => void }} deps
 */
export function createLive({ url, log, onState }) {
  const subscriptions = new Map();
  let socket = null,
    isReady = false,
    failures = 0,
    lastHeard = 0,
    lastId = 0,
    retry = 0;

  const send = message => socket?.readyState === WebSocket.OPEN && socket.send(JSON.stringify(message));
  const start = (id, { name, variables, log: entry }) => {
    const given = variables();
    entry.asked(given);
    send({ id, type: 'subscribe', payload: { operationName: name, query: OPERATIONS[name], variables: given } });
  };

  function connect() {
    clearTimeout(retry);
    onState('connecting');
    const mine = (socket = new WebSocket(url, 'graphql-transport-ws'));
    mine.onopen = () => send({ type: 'connection_init' });
    mine.onmessage = ({ data }) => {
      lastHeard = Date.now();
      receive(JSON.parse(data));
    };
    mine.onclose = ({ code }) => mine === socket && lost(code);
  }

  function lost(code) {
    [socket, isReady] = [null, false];
    if (REFUSED.has(code)) return onState('refused');
    onState('waiting');
    const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** failures++);
    retry = setTimeout(connect, longest * (0.5 + Math.random() / 2));
  }

  function receive({ type, id, payload }) {
    if (type === 'ping') return send({ type: 'pong' });
    if (type === 'connection_ack') {
      [isReady, failures] = [true, 0];
      onState('open');
      for (const [key, subscription] of subscriptions) start(key, subscription);
      return;
    }
    const subscription = subscriptions.get(id);
    if (!subscription) return;
    if (type === 'next') {
      subscription.log.pushed(payload);
      if (payload.data) subscription.next(Object.values(payload.data)[0]);
      // The subscription ended: it starts again, and the new snapshot has the current state.
    } else if (type === 'error' || type === 'complete') {
      subscription.log.ended(type === 'error' ? payload : null);
      setTimeout(
        () => isReady && subscriptions.has(id) && start(id, subscription),
        FIRST_WAIT_MS * 2 ** Math.min(4, subscription.endings++),
      );
    }
  }

  // After a laptop slept, a dead socket may still look open.
  setInterval(() => {
    if (!isReady) return;
    if (Date.now() - lastHeard > SILENT_TOO_LONG_MS) {
      const dead = socket;
      lost(0);
      dead.close();
    } else send({ type: 'ping' });
  }, PING_EVERY_MS);
  addEventListener('online', () => socket === null && connect());

  /** @param {() => object} variables called at every start, so that a cursor can advance */
  return function subscribe(name, variables, next) {
    const id = String(++lastId);
    subscriptions.set(id, {
      name,
      variables,
      next,
      endings: 0,
      log: log.subscribed({ name, document: OPERATIONS[name] }),
    });
    if (isReady) start(id, subscriptions.get(id));
    else if (socket === null) connect();
    return () => subscriptions.delete(id) && isReady && send({ id, type: 'complete' });
  };
}
