import { Client } from 'pg';
import type { Wake } from '../../core/ports/wake';
import { PendingNotifications } from './pending-notifications';

export type WakeListener = (sessionIds: readonly string[] | 'all') => void;

export interface PostgresWakeOptions {
  /** How often listeners get `'all'`, whatever notifications arrived. */
  readonly pollMs: number;
  /** Milliseconds until a connect, or a statement without a response, counts as failed. */
  readonly silenceMs: number;
  /** How long hints are collected before other replicas are notified. */
  readonly debounceMs?: number;
  /** Called when the connection was lost or refused. It is retried automatically. */
  readonly onError?: (error: Error) => void;
}

const CHANNEL = 'support_wake';
const NAME = 'support-wake';
/** Each process has one connection of that name, so that the processes can count each other. */
const COUNT = `select count(*)::integer as replicas from pg_stat_activity where datname = current_database() and application_name = '${NAME}'`;
const RECONNECT_MS = { first: 100, max: 5_000 };

/**
 * Wakes this process at once, and other replicas through a debounced NOTIFY on a separate connection. A NOTIFY within
 * the transactions would serialize their commits. Any notification may be lost; the poll covers that.
 */
export class PostgresWake implements Wake {
  private readonly listeners = new Set<WakeListener>();
  private readonly pending = new PendingNotifications();
  private readonly channels = new Map<string, (payload: string) => void>();
  private client: Client | undefined;
  private dropConnection: (error: Error) => void = () => undefined;
  private isStopped = true;
  private reconnectMs = RECONNECT_MS.first;
  private debounceTimer: NodeJS.Timeout | undefined;
  private reconnectTimer: NodeJS.Timeout | undefined;
  private pollTimer: NodeJS.Timeout | undefined;
  private notifying: Promise<void> = Promise.resolve();
  private replicaCount = 1;

  constructor(
    private readonly url: string,
    private readonly options: PostgresWakeOptions,
  ) {}

  /** How many processes work on this database, including this one, as of the last successful poll. */
  get replicas(): number {
    return this.replicaCount;
  }

  committed(sessionIds: readonly string[]): void {
    if (sessionIds.length === 0) return;
    this.notifyListeners(sessionIds);
    if (this.isStopped) return;
    this.pending.add(sessionIds);
    this.debounceTimer ??= setTimeout(() => {
      this.debounceTimer = undefined;
      this.notifying = this.notifying.then(() => this.notifyReplicas());
    }, this.options.debounceMs ?? 20);
  }

  onWake(listener: WakeListener): () => void {
    // A new function, so that the same listener may be added twice.
    const entry: WakeListener = ids => listener(ids);
    this.listeners.add(entry);
    return () => {
      this.listeners.delete(entry);
    };
  }

  /** Listens to other replicas on a separate channel of the same connection. Must be called before `start`. */
  listenOn(channel: string, listener: (payload: string) => void): void {
    this.channels.set(channel, listener);
  }

  /**
   * Publishes a payload below 8,000 bytes to the other replicas. If there is no connection now, the payload is lost.
   */
  async publish(channel: string, payload: string): Promise<void> {
    const { client } = this;
    await client
      ?.query('select pg_notify($1, $2)', [channel, payload])
      .catch((error: Error) => this.dropConnection(error));
  }

  /** Resolves when it listens, or when the first attempt has failed and retries continue. */
  async start(): Promise<void> {
    if (!this.isStopped) return;
    this.isStopped = false;
    this.pollTimer = setInterval(() => {
      this.notifyListeners('all');
      // This detects a connection that died silently.
      if (this.client) this.countReplicas(this.client).catch((error: Error) => this.dropConnection(error));
    }, this.options.pollMs);
    await this.connect();
  }

  /** Sends the pending notifications, then closes the connection. */
  async stop(): Promise<void> {
    if (this.isStopped) return;
    this.isStopped = true;
    clearInterval(this.pollTimer);
    clearTimeout(this.debounceTimer);
    clearTimeout(this.reconnectTimer);
    this.debounceTimer = undefined;
    await this.notifying;
    await this.notifyReplicas();
    const { client } = this;
    this.client = undefined;
    await client?.end().catch(() => undefined);
  }

  private async connect(): Promise<void> {
    const client = new Client({
      connectionString: this.url,
      application_name: NAME,
      keepAlive: true,
      connectionTimeoutMillis: this.options.silenceMs,
      query_timeout: this.options.silenceMs,
    });
    let isLost = false;
    const handleLoss = (error: Error): void => {
      if (isLost) return;
      isLost = true;
      if (this.client === client) this.client = undefined;
      client.end().catch(() => undefined);
      if (this.isStopped) return;
      this.options.onError?.(error);
      this.reconnectTimer = setTimeout(
        () => {
          void this.connect();
        },
        this.reconnectMs * (0.5 + Math.random()),
      );
      this.reconnectMs = Math.min(this.reconnectMs * 2, RECONNECT_MS.max);
    };
    this.dropConnection = handleLoss;
    client.on('error', handleLoss);
    client.on('end', () =>
      handleLoss(new Error('The connection for wake-ups was closed. It is opened again automatically.')),
    );
    client.on('notification', ({ processId, channel, payload }) => {
      if (processId === (client as unknown as { processID: number }).processID) return;
      const own = this.channels.get(channel);
      if (own === undefined) this.notifyListeners(decodePayload(payload));
      else own(payload ?? '');
    });
    try {
      await client.connect();
      for (const channel of [CHANNEL, ...this.channels.keys()]) await client.query(`listen ${channel}`);
      await this.countReplicas(client);
    } catch (error) {
      handleLoss(error as Error);
      return;
    }
    if (this.isStopped) {
      await client.end().catch(() => undefined);
      return;
    }
    this.client = client;
    this.reconnectMs = RECONNECT_MS.first;
    // Notifications from before it listened are lost, so everything may have changed.
    this.notifyListeners('all');
    if (!this.pending.isEmpty) this.notifying = this.notifying.then(() => this.notifyReplicas());
  }

  private async countReplicas(client: Client): Promise<void> {
    const {
      rows: [row],
    } = await client.query<{ replicas: number }>(COUNT);
    this.replicaCount = Math.max(1, row!.replicas);
  }

  private async notifyReplicas(): Promise<void> {
    const { client } = this;
    if (!client || this.pending.isEmpty) return;
    const { payloads, putBack } = this.pending.takePayloads();
    try {
      for (const payload of payloads) await client.query('select pg_notify($1, $2)', [CHANNEL, payload]);
    } catch (error) {
      // They are sent again after the reconnect; a repeat does no harm.
      putBack();
      this.dropConnection(error as Error);
    }
  }

  private notifyListeners(sessionIds: readonly string[] | 'all'): void {
    for (const listener of [...this.listeners]) {
      try {
        listener(sessionIds);
      } catch (error) {
        this.options.onError?.(error as Error);
      }
    }
  }
}

function decodePayload(payload: string | undefined): readonly string[] | 'all' {
  try {
    const ids: unknown = JSON.parse(payload ?? '');
    return Array.isArray(ids) && ids.length > 0 && ids.every(id => typeof id === 'string') ? ids : 'all';
  } catch {
    return 'all';
  }
}
