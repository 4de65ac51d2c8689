import type { EndUserTyping, TypingOutbox } from '../core/ports/typing';

/** Durations in milliseconds. */
export const TYPING = {
  /** After this time without a new state, a typing end-user counts as stopped. */
  expiresMs: 10_000,
  /** How often a continued typing is sent again. */
  repeatMs: 5_000,
  /** How many calls may run at one remote; more would only queue there. */
  atOnce: 2,
  /** How often per minute "typing" is sent to one remote, so that it never uses capacity that messages need. */
  perMinute: 120,
  /** The maximum number of sessions with a typing end-user; typing in further sessions is not sent. */
  sessions: 1_000,
} as const;

const MINUTE_MS = 60_000;

interface Side { underWay: number; readonly toldAt: number[]; readonly waiting: Set<Entry> }
interface Entry { typing: EndUserTyping; wanted: boolean; told: boolean; toldAt: number; isUnderWay: boolean; stopWaiting: () => void }

export interface RelayTime {
  now(): number;
  /** Runs `act` once after `ms`. Returns a function that cancels it. */
  after(ms: number, act: () => void): () => void;
}

const REAL_TIME: RelayTime = {
  now: () => performance.now(),
  after: (ms, act) => {
    const timer = setTimeout(act, ms).unref();
    return () => clearTimeout(timer);
  },
};

/**
 * Sends the typing states of end-users to providers. It keeps at most one running call per session and the newest state
 * for the next one, and drops what exceeds the limits. Failures are ignored, because the next state comes soon.
 */
export class TypingRelay implements TypingOutbox {
  private readonly entries = new Map<string, Entry>();
  private readonly sides = new Map<string, Side>();

  /** @param callMs the time limit of one call */
  constructor(private readonly callMs: number, private readonly time: RelayTime = REAL_TIME) {}

  show(typing: EndUserTyping): void {
    let entry = this.entries.get(typing.sessionId);
    if (entry === undefined) {
      if (!typing.isTyping || this.entries.size >= TYPING.sessions) return;
      entry = { typing, wanted: true, told: false, toldAt: -Infinity, isUnderWay: false, stopWaiting: () => undefined };
      this.entries.set(typing.sessionId, entry);
    }
    entry.typing = typing;
    this.want(entry, typing.isTyping);
  }

  /** Drops all states. */
  stop(): void {
    for (const entry of this.entries.values()) entry.stopWaiting();
    this.entries.clear();
    this.sides.clear();
  }

  private want(entry: Entry, isTyping: boolean): void {
    entry.wanted = isTyping;
    entry.stopWaiting();
    entry.stopWaiting = isTyping ? this.time.after(TYPING.expiresMs, () => this.want(entry, false)) : () => undefined;
    this.pump(entry);
  }

  private pump(entry: Entry): void {
    if (entry.isUnderWay || this.entries.get(entry.typing.sessionId) !== entry) return;
    const isNews = entry.wanted !== entry.told || (entry.wanted && this.time.now() - entry.toldAt >= TYPING.repeatMs);
    if (!isNews) {
      if (!entry.wanted) this.entries.delete(entry.typing.sessionId);
      return;
    }
    const side = this.sideOf(entry);
    if (side.underWay >= TYPING.atOnce) side.waiting.add(entry);
    // A stop follows each start, so it needs no capacity of its own.
    else if (!entry.wanted || this.hasRoom(side)) void this.tell(entry, side);
  }

  private async tell(entry: Entry, side: Side): Promise<void> {
    const isTyping = entry.wanted;
    entry.isUnderWay = true;
    side.underWay += 1;
    if (isTyping) side.toldAt.push(this.time.now());
    try {
      await entry.typing.tell(isTyping, AbortSignal.timeout(this.callMs));
    } catch {
      // Typing is cosmetic, so a failure has no consequences.
    }
    entry.isUnderWay = false;
    entry.told = isTyping;
    entry.toldAt = this.time.now();
    side.underWay -= 1;
    this.pump(entry);
    for (const next of side.waiting) {
      if (side.underWay >= TYPING.atOnce) break;
      side.waiting.delete(next);
      this.pump(next);
    }
  }

  private hasRoom({ toldAt }: Side): boolean {
    const since = this.time.now() - MINUTE_MS;
    while (toldAt.length > 0 && toldAt[0]! <= since) toldAt.shift();
    return toldAt.length < TYPING.perMinute;
  }

  private sideOf({ typing: { accountId } }: Entry): Side {
    let side = this.sides.get(accountId);
    if (side === undefined) this.sides.set(accountId, side = { underWay: 0, toldAt: [], waiting: new Set() });
    return side;
  }
}
