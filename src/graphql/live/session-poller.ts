import type { Scope } from '../../core/flows/api/scope';
import type { Stores } from '../../core/ports/stores';
import { WakeSignal, type OpenSubscriptions, type WakeSource } from './wake-signal';

/** The last event that a subscription of one session has read. */
export interface ReadPosition {
  seq: number;
}

interface SessionWatcher {
  readonly scope: Scope;
  readonly sessionId: string;
  readonly position: ReadPosition;
  wake(): void;
}

const SESSIONS_PER_QUERY = 500;

/**
 * Wakes the subscriptions of single sessions. A wake-up that names a session goes directly to its subscriptions. When
 * wake-ups may have been lost, one statement for up to 500 subscriptions of an organization finds the outdated ones, so
 * that a thousand idle subscriptions cost about as much as one.
 */
export class SessionPoller {
  private readonly watchers = new Map<string, Set<SessionWatcher>>();
  private stopListening: (() => void) | undefined;
  private isPolling = false;
  private isPollRequested = false;

  constructor(
    private readonly stores: Pick<Stores, 'sessions'>,
    private readonly wake: WakeSource,
    private readonly pollMs: number,
    private readonly open: OpenSubscriptions,
  ) {}

  createSignal(scope: Scope, sessionId: string, reading: ReadPosition): WakeSignal {
    return new WakeSignal(this.open, ring => {
      const watcher: SessionWatcher = { scope, sessionId, position: reading, wake: ring };
      const ofSession = this.watchers.get(sessionId) ?? new Set();
      this.watchers.set(sessionId, ofSession.add(watcher));
      this.stopListening ??= this.listen();
      return () => {
        ofSession.delete(watcher);
        if (ofSession.size === 0) this.watchers.delete(sessionId);
        if (this.watchers.size > 0) return;
        this.stopListening?.();
        this.stopListening = undefined;
      };
    });
  }

  private listen(): () => void {
    const forget = this.wake.onWake(sessionIds => {
      if (sessionIds === 'all') void this.poll();
      else for (const id of sessionIds) this.watchers.get(id)?.forEach(watcher => watcher.wake());
    });
    const poll = setInterval(() => void this.poll(), this.pollMs).unref();
    return () => {
      forget();
      clearInterval(poll);
    };
  }

  private async poll(): Promise<void> {
    this.isPollRequested = this.isPolling;
    if (this.isPolling) return;
    this.isPolling = true;
    try {
      for (const watchers of this.watchersByOrganization().values())
        for (let at = 0; at < watchers.length; at += SESSIONS_PER_QUERY)
          await this.wakeOutdated(watchers.slice(at, at + SESSIONS_PER_QUERY));
    } catch {
      // The database is unavailable. The next poll follows on its own.
    } finally {
      this.isPolling = false;
    }
    if (this.isPollRequested) void this.poll();
  }

  private watchersByOrganization(): Map<string, SessionWatcher[]> {
    const found = new Map<string, SessionWatcher[]>();
    for (const ofSession of this.watchers.values())
      for (const watcher of ofSession) {
        const { organizationId } = watcher.scope;
        const others = found.get(organizationId);
        if (others) others.push(watcher);
        else found.set(organizationId, [watcher]);
      }
    return found;
  }

  private async wakeOutdated(watchers: readonly SessionWatcher[]): Promise<void> {
    const sessions = await this.stores.sessions.getMany(
      watchers[0]!.scope.organizationId,
      watchers.map(watcher => watcher.sessionId),
    );
    // A session that no longer exists wakes its reader too, which then finds no events.
    watchers.forEach((watcher, i) => {
      if ((sessions[i]?.lastEventSeq ?? Infinity) > watcher.position.seq) watcher.wake();
    });
  }
}
