/**
 * All time limits of this process, in milliseconds, by network hop. Limits that an operator may change are settings.
 * These ones limit how long callers, tenants, remotes and other replicas can make this process wait.
 */
export const TIME_LIMITS = {
  /** A caller's request. */
  http: {
    /** From the first byte to the end of the headers. */
    headersMs: 15_000,
    /** From the first byte to the end of the body. */
    requestMs: 30_000,
    /** Interval at which Node checks connections for the two limits above. */
    checkMs: 5_000,
    /** Longer than the idle timeout of usual load balancers (60 s), so that they close first. */
    keepAliveMs: 65_000,
    /** For the rest of a refused body, so that its sender reads the response. */
    lingerMs: 2_000,
  },
  /**
   * Speed of a request's body: checked every `checkMs`; after `graceMs`, the average must be at least
   * `minBytesPerSecond`.
   */
  body: { checkMs: 1_000, graceMs: 5_000, minBytesPerSecond: 2_048 },
  /**
   * Speed of a reader: checked every `checkMs`; it may fall `graceMs` behind `minBytesPerSecond` of the available data.
   */
  reader: { checkMs: 5_000, graceMs: 30_000, minBytesPerSecond: 2_048 },
  /** A WebSocket or an event stream. */
  socket: {
    /** From the handshake to `connection_init`. */
    connectionInitMs: 5_000,
    /** A peer that does not respond to a ping before the next one counts as disconnected. */
    pingMs: 12_000,
    /** At a stop: for a WebSocket's close handshake; less than `stop.closeMs`. */
    closeMs: 2_000,
  },
  database: {
    /** Until the pool has a free connection; then OVERLOADED. */
    connectMs: 5_000,
    statementMs: 15_000,
    /**
     * A call that waits for a session with a burst of other calls; then OVERLOADED. Less than `http.requestMs`.
     */
    sessionMs: 20_000,
    /** Our own transaction that executes nothing, because its process hangs. */
    idleInTransactionMs: 30_000,
    /** No response at all, not even the server's error for the limits above: the connection is closed. */
    silenceMs: 20_000,
    /** A repeated call, for the call with the same idempotency key that is still in progress. */
    keyMs: 5_000,
    /** The connection for wake-ups: connecting, and each response. */
    wakeMs: 10_000,
    /** A start that waits for another replica's migrations. */
    migrationLockMs: 10 * 60_000,
    migrationConnectMs: 10_000,
    /** The database check of /readyz. */
    readinessMs: 1_000,
  },
  /** The embedded Postgres, at a start. */
  embedded: {
    /** For a port that another process took in the meantime. */
    portMs: 5_000,
    /**
     * For the server of a process that was just killed: for its last checkpoint, and for the server to begin its
     * shutdown.
     */
    stoppingMs: 30_000,
    lockMs: 1_000,
  },
  provider: {
    /** Looking up a target that is not listed yet, within requestHandoff; at most the limit of one call. */
    targetLookupMs: 3_000,
    /** A message with files, including all uploads; at least the limit of one call. */
    uploadMs: 60_000,
    /** Reporting that an end-user types; later reports are obsolete. */
    typingMs: 3_000,
    /**
     * A sync before a handoff ends, to read what agents wrote until then. After the limit the handoff ends
     * nevertheless.
     */
    endSyncMs: 5_000,
    /** A setup call with many remote steps, as a multiple of SUPPORT_PROVIDER_TIMEOUT_MS. */
    setUpCalls: 6,
  },
  /**
   * The setup lock of an account or inbox. The lock outlasts its last renewal by `leaseMs`, and by the time for which a
   * request may continue at the provider.
   */
  setupLock: { leaseMs: 10_000, renewMs: 2_500, askMs: 250 },
  /** Files, from their source into our store. */
  file: {
    /** One attempt, from requesting the file to storing its last byte. */
    attemptMs: 10 * 60_000,
    /** Without a single byte: the attempt fails. */
    silenceMs: 30_000,
    /** A receiver that accepts no bytes: the transfer is aborted. */
    readerStallMs: 60_000,
  },
  /** The media bucket. */
  store: { connectMs: 5_000, silenceMs: 30_000 },
  /** The key set of JSON Web Tokens. */
  identity: { keySetMs: 5_000 },
  /** Resolving a name that a tenant gave, including the wait for a slot. */
  names: { lookupMs: 3_000, /** Connecting to its address, with TLS. */ connectMs: 10_000 },
  /**
   * A stop. The server (grace period, requests, sockets) and the worker stop concurrently: each takes less than
   * `exitMs`.
   */
  stop: {
    /** Requests in progress. */
    finishMs: 10_000,
    /** Remote calls in progress; work that remains keeps its lease, which expires. */
    workMs: 12_000,
    /** Sockets and streams. */
    closeMs: 3_000,
    exitMs: 25_000,
  },
} as const;
