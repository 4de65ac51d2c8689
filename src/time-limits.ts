/**
 * Every time limit of this process, hop by hop, in milliseconds, for all rooms. What an operator may change comes from the settings;
 * what callers, tenants, far sides and other replicas can make us wait for is limited here.
 */
export const TIME_LIMITS = {
  /** A caller's request. */
  http: {
    /** From the first byte to the end of the headers. */
    headersMs: 15_000,
    /** From the first byte to the end of the body. */
    requestMs: 30_000,
    /** How often Node looks for connections that are over the two above. */
    checkMs: 5_000,
    /** Longer than the idle time of usual load balancers (60 s), so that they close first. */
    keepAliveMs: 65_000,
    /** For the rest of a body that was refused, so that its sender reads the answer. */
    lingerMs: 2_000,
  },
  /** The speed of a request's body: looked at every `checkMs`; after `graceMs` it must have come with so many bytes a second on average. */
  body: { checkMs: 1_000, graceMs: 5_000, minBytesPerSecond: 2_048 },
  /** The speed of who reads: looked at every `checkMs`; of what waits for them they may fall `graceMs` behind so many bytes a second. */
  reader: { checkMs: 5_000, graceMs: 30_000, minBytesPerSecond: 2_048 },
  /** A WebSocket or an event stream. */
  socket: {
    /** From the handshake to `connection_init`. */
    connectionInitMs: 5_000,
    /** Peers that do not answer a ping until the next one are gone. */
    pingMs: 12_000,
    /** At a stop: for a WebSocket's goodbye; less than `stop.goodbyeMs`. */
    closeMs: 2_000,
  },
  database: {
    /** Until the pool has a connection to lend; then OVERLOADED. */
    connectMs: 5_000,
    statementMs: 15_000,
    /** A call, for its turn in a Session that has a burst of others; then OVERLOADED. Less than `http.requestMs`. */
    sessionMs: 20_000,
    /** A transaction of ours that does nothing: its process hangs. */
    idleInTransactionMs: 30_000,
    /** An answer that does not come, also not the server's own word on the limits above: its connection is given up. */
    silenceMs: 20_000,
    /** A repeat, for the call with the same idempotency key that is still under way. */
    keyMs: 5_000,
    /** The connection for wake-ups, for connecting and for each answer. */
    wakeMs: 10_000,
    /** A start, for another replica that migrates. */
    migrationLockMs: 10 * 60_000,
    migrationConnectMs: 10_000,
    /** The question of /readyz. */
    readinessMs: 1_000,
  },
  /** The Postgres that comes with us, at a start. */
  embedded: {
    /** For a port that somebody else took meanwhile. */
    portMs: 5_000,
    /** For the server of a process that was just killed: for its last checkpoint, and before it is seen to be ending. */
    stoppingMs: 30_000, lockMs: 1_000,
  },
  provider: {
    /** Looking up a target that is not listed yet, within requestHandoff; at most the setting of one call. */
    targetLookupMs: 3_000,
    /** A message with files, with all that is uploaded; at least the setting of one call. */
    uploadMs: 60_000,
    /** That an end-user types: what takes longer is no news any more. */
    typingMs: 3_000,
    /** An ending handoff, for a sync that shows what agents said before the end. Then it ends all the same. */
    endSyncMs: 5_000,
    /** A set-up call of many remote steps, as a multiple of SUPPORT_PROVIDER_TIMEOUT_MS. */
    setUpCalls: 6,
  },
  /** One set-up of an account or inbox at a time. `leaseMs`: a turn outlasts the last renewal by it, and by as long as a request may run on over there. */
  setUpTurn: { leaseMs: 10_000, renewMs: 2_500, askMs: 250 },
  /** Agents' files, from the provider into our store. */
  file: {
    /** One try, from asking for the first byte to having kept the last. */
    tryMs: 10 * 60_000,
    /** Without a single byte: given up until the next try. */
    silenceMs: 30_000,
    /** To whoever opened a link and takes nothing of it: given up. */
    stalledMs: 60_000,
  },
  /** A bucket. */
  store: { connectMs: 5_000, silenceMs: 30_000 },
  /** The key set of JWTs. */
  identity: { keySetMs: 5_000 },
  /** Finding the address of a name that a tenant gave, with waiting for its turn. */
  names: { lookupMs: 3_000, /** A connection to it, with TLS. */ connectMs: 10_000 },
  /** A stop. Server (grace, requests, then sockets) and worker stop beside each other: each takes less than `exitMs`. */
  stop: {
    /** Requests under way. */
    finishMs: 10_000,
    /** Remote calls under way; what is left keeps its lease, which ends by itself. */
    workMs: 12_000,
    /** Sockets and streams. */
    goodbyeMs: 3_000,
    exitMs: 25_000,
  },
} as const;
