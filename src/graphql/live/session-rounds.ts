import type { Scope } from '../../core/flows/api';
import type { Stores } from '../../core/ports/stores';
import { Bell, type OpenReaders, type WakeSource } from './follow';

/** The last event that a subscription of one session has read. */
export interface Reading { seq: number }

interface Watcher { readonly scope: Scope; readonly sessionId: string; readonly reading: Reading; ring(): void }

const SESSIONS_AT_ONCE = 500;

/**
 * Wakes the subscriptions of single sessions. A wake-up that names a session goes directly to its subscriptions. When
 * wake-ups may have been lost, one statement for up to 500 subscriptions of an organization finds the outdated ones, so
 * that a thousand idle subscriptions cost about as much as one.
 */
export class SessionRounds {
  private readonly watchers = new Map<string, Set<Watcher>>();
  private stopListening: (() => void) | undefined;
  private isUnderWay = false;
  private isWantedAgain = false;

  constructor(private readonly stores: Pick<Stores, 'sessions'>, private readonly wake: WakeSource, private readonly pollMs: number, private readonly open: OpenReaders) {}

  bell(scope: Scope, sessionId: string, reading: Reading): Bell {
    return new Bell(this.open, (ring) => {
      const watcher: Watcher = { scope, sessionId, reading, ring };
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
    const forget = this.wake.onWake((sessionIds) => {
      if (sessionIds === 'all') void this.round();
      else for (const id of sessionIds) this.watchers.get(id)?.forEach((watcher) => watcher.ring());
    });
    const poll = setInterval(() => void this.round(), this.pollMs).unref();
    return () => {
      forget();
      clearInterval(poll);
    };
  }

  private async round(): Promise<void> {
    this.isWantedAgain = this.isUnderWay;
    if (this.isUnderWay) return;
    this.isUnderWay = true;
    try {
      for (const watchers of this.perOrganization().values())
        for (let at = 0; at < watchers.length; at += SESSIONS_AT_ONCE) await this.ringThoseBehind(watchers.slice(at, at + SESSIONS_AT_ONCE));
    } catch {
      // The database is unavailable. The next poll follows on its own.
    } finally {
      this.isUnderWay = false;
    }
    if (this.isWantedAgain) void this.round();
  }

  private perOrganization(): Map<string, Watcher[]> {
    const found = new Map<string, Watcher[]>();
    for (const ofSession of this.watchers.values())
      for (const watcher of ofSession) {
        const { organizationId } = watcher.scope;
        const others = found.get(organizationId);
        if (others) others.push(watcher);
        else found.set(organizationId, [watcher]);
      }
    return found;
  }

  private async ringThoseBehind(watchers: readonly Watcher[]): Promise<void> {
    const sessions = await this.stores.sessions.getMany(watchers[0]!.scope.organizationId, watchers.map((watcher) => watcher.sessionId));
    // A session that no longer exists wakes its reader too, which then finds no events.
    watchers.forEach((watcher, i) => { if ((sessions[i]?.lastEventSeq ?? Infinity) > watcher.reading.seq) watcher.ring(); });
  }
}
